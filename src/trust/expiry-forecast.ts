/** Computes how long a key may sign if nothing is renewed, and what expires first. */
import { type Duration, type Instant, iso } from "../time.ts";
import { allows, type Grant, type Step } from "./delegation.ts";
import type { CertificateFacts, Fingerprint, KeyFacts } from "./facts.ts";
import type { Trusted, TrustSet } from "./judge.ts";
import { endOfLife, newest, primaryState, refusePrimary, refuseSubkey } from "./key-state.ts";
import { algorithmWords, refusedFrom } from "./policy.ts";

/** The validity period of a key, a delegation or an algorithm. */
export interface End {
  readonly since: Instant;
  /** The end of the validity period; infinity if the period never ends. */
  readonly until: Instant;
  /** The key that expires or whose algorithm will be refused; if a delegation expires, the delegate's key. */
  readonly key: Fingerprint;
  /** The delegation that expires; undefined if a key or its algorithm expires. */
  readonly step: Step | undefined;
  /** The key's algorithm in words, if `until` is the date from which the algorithm is refused (T14). */
  readonly algorithm?: string;
}

/** How long before the refusal of an algorithm warnings begin: keepers need more time to replace a key than to extend its expiry. */
export const algorithmWarning: Duration = 365 * 86_400_000;

/** Warnings begin at most this long before the end of a validity period. */
const soon: Duration = 14 * 86_400_000;

/** Whether an end is near enough for a warning: less than two weeks and less than a third of the validity period are left. */
export function isNear({ since, until }: Pick<End, "since" | "until">, at: Instant): boolean {
  return until - at < Math.min(soon, (until - since) / 3);
}

/** Returns the component keys with which a certificate may sign at `at` (T7); an empty set if the certificate may not sign. */
export function signingKeys(facts: CertificateFacts, at: Instant): Set<Fingerprint> {
  if (refusePrimary(facts, at) !== undefined) return new Set();
  const state = primaryState(facts, at);
  const primary = !("code" in state) && state.canSign ? [facts.primary.fingerprint] : [];
  const subkeys = facts.subkeys.filter((subkey) => refuseSubkey(subkey, at) === undefined);
  return new Set([...primary, ...subkeys.map(({ fingerprint }) => fingerprint)]);
}

function earliest(ends: readonly End[]): End {
  return ends.reduce((a, b) => (b.until < a.until ? b : a));
}

function endOfAlgorithm(key: KeyFacts): End {
  const { fingerprint, createdAt: since } = key;
  return { since, until: refusedFrom(key), key: fingerprint, step: undefined, algorithm: algorithmWords(key) };
}

/** T14: returns the date from which a key's algorithm is refused, in RFC 3339; null if the algorithm has no such date. */
export function algorithmUntil(key: KeyFacts): string | null {
  const from = refusedFrom(key);
  return Number.isFinite(from) ? iso(from) : null;
}

/**
 * T14: returns the algorithms that the certificate's primary key and signing subkeys use at `at` and that will be refused later, each with
 * the date of its refusal.
 */
export function endsOfAlgorithms(facts: CertificateFacts, at: Instant): End[] {
  const able = signingKeys(facts, at);
  const inUse = [facts.primary, ...facts.subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
  return inUse.map(endOfAlgorithm).filter(({ until }) => until > at && until < Number.POSITIVE_INFINITY);
}

/** Returns the validity period of a primary key. */
export function endOfKey(facts: CertificateFacts, at: Instant): End {
  const { fingerprint: key, createdAt: since } = facts.primary;
  const state = primaryState(facts, at);
  const until = "code" in state ? at : (endOfLife(facts, at) ?? Number.POSITIVE_INFINITY);
  return { since, until, key, step: undefined };
}

/** Returns until when a component key of a certificate can sign, as far as the certificate's keys decide this. */
function endOfSigner(facts: CertificateFacts, signer: Fingerprint, at: Instant): End {
  const primary = [endOfKey(facts, at), endOfAlgorithm(facts.primary)];
  const subkey = facts.subkeys.find(({ fingerprint }) => fingerprint === signer);
  if (subkey === undefined) return earliest(primary);
  const until = newest(subkey.bindings, subkey, at)[0]?.keyExpiresAt ?? Number.POSITIVE_INFINITY;
  const binding = { since: subkey.createdAt, until, key: signer, step: undefined };
  return earliest([...primary, binding, endOfAlgorithm(subkey)]);
}

/**
 * Returns until when a certificate can sign.
 * @param signer the component key; undefined for the component key that can sign longest
 * @returns undefined if the certificate may not sign now
 */
export function endOfSigning(facts: CertificateFacts, at: Instant, signer?: Fingerprint): End | undefined {
  const able = [...signingKeys(facts, at)].filter((key) => signer === undefined || key === signer);
  return able.map((key) => endOfSigner(facts, key, at)).sort((a, b) => b.until - a.until)[0];
}

/**
 * Returns what ends first on a delegate's path: a delegation, an issuer's key, or the time until the algorithm of an issuer's key is
 * refused.
 */
function endOfGrant({ steps }: Grant, { trusted, at }: TrustSet): End {
  const ends = steps.flatMap((step): End[] => {
    const issuer = trusted.get(step.issuer)?.facts;
    const delegation = { since: step.madeAt, until: step.expiresAt, key: step.subject, step };
    return [delegation, ...(issuer === undefined ? [] : [endOfKey(issuer, at), endOfAlgorithm(issuer.primary)])];
  });
  return ends.length === 0 ? { since: at, until: at, key: "", step: undefined } : earliest(ends);
}

/**
 * Returns until when a key may sign, and what ends then.
 * @param feed the feed that the key signs; undefined for any feed
 * @param signer the component key; undefined for the component key that can sign longest
 * @returns undefined if the key may not sign now
 */
export function outlookOf(
  { facts, role, grants }: Trusted,
  trust: TrustSet,
  feed?: string,
  signer?: Fingerprint,
): End | undefined {
  const { at } = trust;
  const own = endOfSigning(facts, at, signer);
  if (own === undefined || role !== "delegate") return own;
  const allowed = grants.filter((grant) => feed === undefined || allows(grant, feed));
  const [longest] = allowed.map((grant) => endOfGrant(grant, trust)).sort((a, b) => b.until - a.until);
  return longest && earliest([own, longest]);
}
