/** The state of a certificate's own keys at a given time: expiry, flags, revocations, and which subkeys are bound to the certificate. */
import { largest, smallest } from "../extremes.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, KeyFacts, KeyFlags, Revocation, SelfSignature, SubkeyFacts } from "./facts.ts";
import {
  type Refusal,
  refuse,
  refuseOutdated,
  refuseSignature,
  refuseWeakHash,
  refuseWeakKey,
  skew,
} from "./policy.ts";

/** What the newest usable self-signatures of a primary key say about this key. */
interface PrimaryState {
  readonly expiresAt: Instant | undefined;
  readonly canCertify: boolean;
  readonly canSign: boolean;
}

/**
 * Returns the usable signatures with the newest date; among these, only those that give the key the soonest expiry. Several signatures may
 * remain; then only what all of them say counts, so that the order of packets never matters. Older signatures do not count: if the keepers
 * extended an expiry and shortened it later, the shorter expiry applies.
 */
export function newest(signatures: readonly SelfSignature[], key: KeyFacts, at: Instant): readonly SelfSignature[] {
  const usable = signatures.filter((signature) => {
    return refuseSignature(signature, key.createdAt, at) === undefined && refuseWeakHash(signature) === undefined;
  });
  const ends = ({ keyExpiresAt }: SelfSignature) => keyExpiresAt ?? Number.POSITIVE_INFINITY;
  const [first] = usable.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0) || ends(a) - ends(b));
  if (first === undefined) return [];
  return usable.filter((other) => other.createdAt === first.createdAt && ends(other) === ends(first));
}

/**
 * Returns what the self-signatures say about the primary key. A direct-key signature (where v6 keys keep expiry and flags) and the
 * self-signatures over user IDs are combined: the sooner of their expiries counts, and only the flags that all of them set.
 */
export function primaryState(facts: CertificateFacts, at: Instant): PrimaryState | Refusal {
  const { primary } = facts;
  const userIdSignatures = facts.userIds.flatMap((userId) => userId.selfSignatures);
  const current = [...newest(facts.directSignatures, primary, at), ...newest(userIdSignatures, primary, at)];
  if (current.length === 0) return refuseNoSelfSignature(facts, at);
  const expiries = current.map(({ keyExpiresAt }) => keyExpiresAt).filter((expiry) => expiry !== undefined);
  const flags = current.map((signature) => signature.flags).filter((flag) => flag !== undefined);
  return {
    expiresAt: expiries.length === 0 ? undefined : smallest(expiries),
    canCertify: every(flags, "certify"),
    canSign: every(flags, "sign"),
  };
}

/** If no flags subpacket exists, a primary key may both certify and sign (RFC 9580 section 5.2.3.29 leaves this to local policy; T3a). */
function every(flags: readonly KeyFlags[], name: keyof KeyFlags): boolean {
  return flags.every((flag) => flag[name]);
}

/**
 * Returns when the primary key expires. If a late extension has no effect (T7), this is sooner than the newest self-signatures say.
 * @returns undefined if the key never expires or has no usable self-signature
 */
export function endOfLife(facts: CertificateFacts, at: Instant): Instant | undefined {
  const state = primaryState(facts, at);
  if ("code" in state) return undefined;
  if (facts.endedAt === undefined || state.expiresAt === undefined) return facts.endedAt ?? state.expiresAt;
  return Math.min(facts.endedAt, state.expiresAt);
}

/** Whether the primary key ever had the certify flag. A thief who removes the flag does not undo what the key certified before. */
export function onceCertified(facts: CertificateFacts, at: Instant): boolean {
  return usableEver(facts, at).some(({ flags }) => flags === undefined || flags.certify);
}

/** Whether a self-signature was usable at some time, even if the signature itself has expired since. */
export function wasUsable(signature: SelfSignature, key: KeyFacts, at: Instant): boolean {
  const lasting = { ...signature, expiresAt: undefined };
  return refuseSignature(lasting, key.createdAt, at) === undefined && refuseWeakHash(signature) === undefined;
}

function usableEver(facts: CertificateFacts, at: Instant): SelfSignature[] {
  const all = [...facts.directSignatures, ...facts.userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  return all.filter((one) => wasUsable(one, facts.primary, at));
}

/** Returns the latest expiry that the primary key ever stated; infinity if one of its self-signatures stated no expiry. */
export function latestEnd(facts: CertificateFacts, at: Instant): Instant {
  return largest(usableEver(facts, at).map(({ keyExpiresAt }) => keyExpiresAt ?? Number.POSITIVE_INFINITY));
}

function refuseNoSelfSignature(facts: CertificateFacts, at: Instant): Refusal {
  const all = [...facts.directSignatures, ...facts.userIds.flatMap((userId) => userId.selfSignatures)];
  if (all.length === 0) return refuse("bad_certificate", "its certificate has no self-signature");
  const reasons = all.map(
    (signature) => refuseWeakHash(signature) ?? refuseSignature(signature, facts.primary.createdAt, at),
  );
  const first = reasons.find((reason) => reason?.code === "weak_algorithm") ?? reasons[0];
  return refuse(first?.code ?? "bad_certificate", `none of its self-signatures can be used: ${first?.reason ?? ""}`);
}

/**
 * Returns the most severe revocation in force at `at`. A hard revocation counts whatever its date, because a thief can choose any date for
 * a signature. A soft revocation counts from its date on. T4: a revocation with a weak hash counts too, and a revocation never expires.
 */
export function effectiveRevocation(revocations: readonly Revocation[], at: Instant): Revocation | undefined {
  const hard = revocations.find(({ kind }) => kind === "hard");
  const soft = revocations
    .filter(({ createdAt }) => (createdAt ?? 0) <= at + skew)
    .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0))[0];
  return hard ?? soft;
}

/** Whether a key has a hard revocation, whatever its date. */
export function isHardRevoked(revocations: readonly Revocation[]): boolean {
  return revocations.some(({ kind }) => kind === "hard");
}

const reasonWords: Readonly<Record<number, string>> = { 1: "as superseded", 2: "as compromised", 3: "as retired" };

/** Describes a revocation for messages: `revoked as compromised`. */
export function revocationWords({ reason }: Revocation): string {
  return `revoked ${reasonWords[reason ?? 0] ?? "without a stated reason"}`;
}

function refuseRevoked(revocations: readonly Revocation[], at: Instant, what: string): Refusal | undefined {
  const revocation = effectiveRevocation(revocations, at);
  return revocation && refuse("revoked", `${what} is ${revocationWords(revocation)}`);
}

function refuseTime(key: KeyFacts, expiresAt: Instant | undefined, at: Instant, what: string): Refusal | undefined {
  if (key.createdAt > at + skew) return refuse("not_yet_valid", `${what} has a creation date in the future`);
  if (expiresAt !== undefined && expiresAt <= at) {
    return refuse("expired", `${what} expired on ${new Date(expiresAt).toISOString().slice(0, 10)}`);
  }
  return undefined;
}

/**
 * T7, for the primary key: refuses a key that is revoked for any reason, expired or weak at `at`, or whose algorithm is refused at `at`
 * (T14).
 */
export function refusePrimary(facts: CertificateFacts, at: Instant): Refusal | undefined {
  return refuseLife(facts, at) ?? refuseOutdated(facts.primary, at);
}

/**
 * T6: returns why a key is not live. The dates of algorithms (T14) do not count: a thief's key must not win because the rightful key has an
 * older algorithm.
 */
export function refuseLife(facts: CertificateFacts, at: Instant): Refusal | undefined {
  const what = "the key";
  const revoked = refuseRevoked(facts.revocations, at, what) ?? refuseWeakKey(facts.primary);
  if (revoked !== undefined) return revoked;
  const state = primaryState(facts, at);
  return "code" in state ? state : refuseTime(facts.primary, endOfLife(facts, at), at, what);
}

/**
 * T7, for a signing subkey: refuses a subkey that is not bound, that has not acknowledged its certificate with a back-signature, or that is
 * revoked, expired or weak.
 */
export function refuseSubkey(subkey: SubkeyFacts, at: Instant): Refusal | undefined {
  const what = `the subkey ${subkey.fingerprint}`;
  const refused = refuseRevoked(subkey.revocations, at, what) ?? refuseWeakKey(subkey);
  if (refused !== undefined) return refused;
  const bindings = newest(subkey.bindings, subkey, at);
  const [binding] = bindings;
  if (binding === undefined) return refuse("bad_signature", `${what} is not bound to its certificate`);
  if (bindings.some(({ flags }) => flags?.sign !== true)) return refuse("bad_signature", `${what} is not for signing`);
  // If several bindings have the newest date, one back-signature is enough: it may be in the unhashed area, so that a copy of a binding may
  // lack it.
  const backs = bindings
    .map(({ backSignature }) => backSignature)
    .filter((back) => back !== undefined && refuseSignature(back, subkey.createdAt, at) === undefined);
  const back = backs.find((one) => one !== undefined && refuseWeakHash(one) === undefined) ?? backs[0];
  if (back === undefined) {
    return refuse("bad_signature", `${what} has not acknowledged its certificate (no back-signature)`);
  }
  const weak = refuseWeakHash(back) ?? refuseTime(subkey, binding.keyExpiresAt, at, what);
  return weak ?? refuseOutdated(subkey, at);
}

/**
 * Whether a signature by a subkey, whatever its date, may speak for the subkey's certificate: the subkey has a binding for signing with a
 * back-signature, no hard revocation, and no weak algorithm.
 */
export function maySpeakFor(subkey: SubkeyFacts): boolean {
  if (isHardRevoked(subkey.revocations) || refuseWeakKey(subkey) !== undefined) return false;
  return subkey.bindings.some(({ flags, backSignature }) => flags?.sign === true && backSignature !== undefined);
}
