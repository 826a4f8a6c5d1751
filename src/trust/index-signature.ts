/**
 * T7, T8, T10 and the profile's limits: decides whether the signatures over an index are good, and by keys that may sign for this archive.
 */
import type { Duration, Instant } from "../time.ts";
import { iso, roughly } from "../time.ts";
import { allows, scopesText } from "./delegation.ts";
import type { CertificateFacts, DataSignature, Fingerprint, SignatureFacts } from "./facts.ts";
import type { Trusted, TrustSet } from "./judge.ts";
import { primaryState, refusePrimary, refuseSubkey } from "./key-state.ts";
import { type Refusal, refuse, refuseSignature, refuseWeakHash } from "./policy.ts";

export interface IndexPolicy {
  readonly feed: string;
  readonly threshold: number;
  readonly requireFeedName: boolean;
  readonly requireExpiry: boolean;
  readonly maxIndexAge: Duration | undefined;
  /** Whether the signed file contains its own signatures: these must be signatures over text (0x01) instead of binary data (0x00). */
  readonly isText?: boolean;
}

export interface Signer {
  /** The fingerprint of the certificate's primary key. */
  readonly certificate: Fingerprint;
  /** The component key that signed. */
  readonly signingKey: Fingerprint;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

/**
 * The refusal of a signature, with the last of the checks to which feedkey came. If all signatures are refused, feedkey reports the refusal
 * of the signature that came furthest.
 */
export interface SignatureRefusal extends Refusal {
  readonly stage: number;
  /** The fingerprint or key ID of the key that made the signature, as far as it is known. */
  readonly issuer: string;
}

export interface IndexVerdict {
  /** One signer for each good signature by a key that may sign; several signers may have the same certificate. */
  readonly signers: readonly Signer[];
  /** The date by which enough keys for the threshold had signed the index. */
  readonly createdAt: Instant;
}

const stages = { unknown: 0, bad: 1, path: 2, state: 3, signature: 4, feed: 5, fresh: 6, threshold: 7 } as const;

/** T7: refuses a component key that may not sign at `at`. */
function refuseSigningKey(facts: CertificateFacts, key: Fingerprint, at: Instant): Refusal | undefined {
  const refused = refusePrimary(facts, at);
  if (refused !== undefined) return refused;
  if (key === facts.primary.fingerprint) {
    const state = primaryState(facts, at);
    if ("code" in state) return state;
    return state.canSign ? undefined : refuse("bad_signature", "the primary key is not for signing");
  }
  const subkey = facts.subkeys.find(({ fingerprint }) => fingerprint === key);
  return subkey === undefined ? refuse("bad_signature", "the subkey is unknown") : refuseSubkey(subkey, at);
}

/**
 * T8: refuses a signature unless it has the right type (over text if the file contains its own signatures, else over binary data), uses a
 * strong hash, is dated between the key's creation and now, and has not expired.
 */
function refuseDataSignature(
  signature: SignatureFacts,
  facts: CertificateFacts,
  { isText = false }: IndexPolicy,
  at: Instant,
): Refusal | undefined {
  if (signature.type !== (isText ? 1 : 0)) {
    return refuse("bad_signature", `it is not a signature over ${isText ? "text (0x01)" : "binary data (0x00)"}`);
  }
  const key = [facts.primary, ...facts.subkeys].find(({ fingerprint }) => fingerprint === signature.key);
  const refused =
    refuseSignature(signature, key?.createdAt ?? facts.primary.createdAt, at) ?? refuseWeakHash(signature);
  if (refused?.code !== "expired") return refused;
  return refuse("stale", `its signature expired on ${iso(signature.expiresAt ?? at)}`);
}

/**
 * T10: refuses a signature that names another feed. feedkey ignores the domain in the notation's name: any `feed@`
 * notation counts.
 */
function refuseFeedName(signature: SignatureFacts, policy: IndexPolicy): Refusal | undefined {
  const names = signature.notations.filter(({ name }) => name.startsWith("feed@")).map(({ value }) => value);
  const other = names.find((name) => name !== policy.feed);
  if (other !== undefined) return refuse("wrong_feed", `it was signed for feed "${other}"`);
  if (names.length === 0 && policy.requireFeedName) {
    return refuse("wrong_feed", "it does not name the feed that it was signed for");
  }
  return undefined;
}

/** Delegation: refuses a delegate unless one of its paths allows the feed, with every scope on this path. */
function refuseScope({ role, grants }: Trusted, { feed }: IndexPolicy): Refusal | undefined {
  if (role !== "delegate" || grants.some((grant) => allows(grant, feed))) return undefined;
  return refuse(
    "untrusted_signer",
    `its delegation is for ${scopesText(grants)}, not for "${feed}"`,
    "the archive's keepers must sign this feed with another key, or delegate the feed to this key",
  );
}

/** Refuses a signature that exceeds the profile's limits on age. */
function refuseAge(signature: SignatureFacts, policy: IndexPolicy, at: Instant): Refusal | undefined {
  if (policy.requireExpiry && signature.expiresAt === undefined) {
    return refuse("stale", "its signature has no expiry, but the profile requires one");
  }
  const age = at - (signature.createdAt ?? 0);
  if (policy.maxIndexAge !== undefined && age > policy.maxIndexAge) {
    return refuse("stale", `it is ${roughly(age)} old, more than the profile allows`);
  }
  return undefined;
}

const delegateHint =
  "the archive delegated to this key: if the delegation has expired, the archive's keepers must renew it; otherwise they must sign with another key";

function judgeMaker(signature: SignatureFacts, trust: TrustSet, policy: IndexPolicy): SignatureRefusal | Signer {
  const issuer = signature.certificate;
  const at = trust.at;
  const stop = (stage: number, refusal: Refusal): SignatureRefusal => ({ ...refusal, stage, issuer });
  const rejected = trust.rejected.get(issuer);
  const trusted: Trusted | undefined = trust.trusted.get(issuer);
  if (trusted === undefined) {
    if (rejected === undefined) return stop(stages.unknown, refuse("untrusted_signer", "its certificate is unknown"));
    // If the key itself is revoked, expired or weak, this reason is reported before a fork or a missing revocation check.
    const onPath = rejected.code === "fork" || rejected.code === "unchecked_revocation";
    const own = onPath ? refuseSigningKey(rejected.facts, signature.key, at) : undefined;
    const isDelegate = rejected.code === "untrusted_signer" && trust.delegations.some((one) => one.subject === issuer);
    return stop(
      onPath ? stages.state : stages.path,
      own ?? (isDelegate ? { hint: delegateHint, ...rejected } : rejected),
    );
  }
  const state = refuseSigningKey(trusted.facts, signature.key, at);
  if (state !== undefined) return stop(stages.state, state);
  const data = refuseDataSignature(signature, trusted.facts, policy, at);
  if (data !== undefined) return stop(stages.signature, data);
  const feed = refuseScope(trusted, policy) ?? refuseFeedName(signature, policy);
  if (feed !== undefined) return stop(stages.feed, feed);
  const age = refuseAge(signature, policy, at);
  if (age !== undefined) return stop(stages.fresh, age);
  return {
    certificate: issuer,
    signingKey: signature.key,
    createdAt: signature.createdAt ?? 0,
    expiresAt: signature.expiresAt,
  };
}

function judgeSignature(signature: DataSignature, trust: TrustSet, policy: IndexPolicy): (SignatureRefusal | Signer)[] {
  const { status } = signature;
  if (status === "good") return signature.makers.map((maker) => judgeMaker(maker, trust, policy));
  const { issuer } = signature;
  if (status === "unknown") {
    const reason = "no certificate of that key is available";
    return [{ code: "untrusted_signer", reason, issuer, stage: stages.unknown }];
  }
  const known = signature.certificates.some((certificate) => trust.trusted.has(certificate));
  const name = signature.certificates[0] ?? issuer;
  const refusal = refuse("bad_signature", signature.reason, signature.hint);
  return [{ ...refusal, issuer: name, stage: known ? stages.bad + 0.5 : stages.bad }];
}

/**
 * Counts the signers in such a way that each has a certificate and a component key of its own: a subkey that several certificates share
 * counts once. The count is the size of the largest matching between certificates and keys, found with augmenting paths.
 */
function hands(signers: readonly Signer[]): number {
  const keysOf = new Map<Fingerprint, Set<Fingerprint>>();
  for (const { certificate, signingKey } of signers) {
    keysOf.set(certificate, (keysOf.get(certificate) ?? new Set()).add(signingKey));
  }
  const holder = new Map<Fingerprint, Fingerprint>();
  const finds = (certificate: Fingerprint, tried: Set<Fingerprint>): boolean => {
    for (const key of keysOf.get(certificate) ?? []) {
      if (tried.has(key)) continue;
      tried.add(key);
      const other = holder.get(key);
      if (other !== undefined && !finds(other, tried)) continue;
      holder.set(key, certificate);
      return true;
    }
    return false;
  };
  return [...keysOf.keys()].filter((certificate) => finds(certificate, new Set())).length;
}

/**
 * T9 with a threshold: returns the latest date such that, among the signatures from that date on, enough signers are left. If only the
 * newest date counted, a single signer could make an old index look new.
 */
function dateOf(signers: readonly Signer[], threshold: number): Instant {
  const newestFirst = signers.toSorted((a, b) => b.createdAt - a.createdAt);
  const last = newestFirst.findIndex((_, place) => hands(newestFirst.slice(0, place + 1)) >= threshold);
  return newestFirst[last]?.createdAt ?? 0;
}

/**
 * Judges all signatures over one index. Unknown and bad signatures do no harm if enough different certificates made good signatures (T7,
 * T8).
 * @returns the signers, or the refusal of the signature that came furthest in the checks
 */
export function judgeIndex(
  signatures: readonly DataSignature[],
  trust: TrustSet,
  policy: IndexPolicy,
): IndexVerdict | SignatureRefusal {
  const outcomes = signatures.flatMap((signature) => judgeSignature(signature, trust, policy));
  const signers = outcomes.filter((outcome) => "signingKey" in outcome);
  const refusals = outcomes.filter((outcome) => "stage" in outcome).sort((a, b) => b.stage - a.stage);
  const count = hands(signers);
  if (count >= policy.threshold && count > 0) return { signers, createdAt: dateOf(signers, policy.threshold) };
  if (count > 0) {
    const reason = `only ${count} of the ${policy.threshold} signers that the profile requires have signed it`;
    return { code: "untrusted_signer", reason, stage: stages.threshold, issuer: signers[0]?.certificate ?? "" };
  }
  return refusals[0] ?? { code: "no_signature", reason: "there is no signature", stage: 0, issuer: "nobody" };
}
