/** Computes until when a key may sign if nothing is renewed, and what expires then. */
import { type Duration, type Instant, iso } from "../time.ts";
import { allows, type Grant, type Step } from "./delegation.ts";
import type { CertificateFacts, Fingerprint, KeyFacts } from "./facts.ts";
import type { Trusted, TrustSet } from "./judge.ts";
import { endOfLife, newest, primaryState, refusePrimary, refuseSubkey } from "./key-state.ts";
import { algorithmWords, refusedFrom } from "./policy.ts";

/** Something with an end. */
export interface End {
  readonly since: Instant;
  /** Infinity: never. */
  readonly until: Instant;
  /** The key that expires; for a delegation the delegate. */
  readonly key: Fingerprint;
  /** The delegation that expires; undefined if it is the key itself. */
  readonly step: Step | undefined;
  /** The key's algorithm, if that is refused from then on (T14). */
  readonly algorithm?: string;
}

/** How long before an algorithm is refused the warnings begin: replacing a key takes longer than extending it. */
export const algorithmWarning: Duration = 365 * 86_400_000;

/** Warnings start at most this long before an end. */
const soon: Duration = 14 * 86_400_000;

/** Whether an end is near enough for a warning: two weeks, but not before two thirds of the time are over. */
export function isNear({ since, until }: Pick<End, "since" | "until">, at: Instant): boolean {
  return until - at < Math.min(soon, (until - since) / 3);
}

/** The component keys by which a certificate may sign at `at` (T7); none if it may not. */
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

/** T14: when a key's algorithm begins to be refused, in RFC 3339; null: no date is known. */
export function algorithmUntil(key: KeyFacts): string | null {
  const from = refusedFrom(key);
  return Number.isFinite(from) ? iso(from) : null;
}

/** T14: those keys with which a certificate certifies or signs at `at` whose algorithm will be refused. */
export function endsOfAlgorithms(facts: CertificateFacts, at: Instant): End[] {
  const able = signingKeys(facts, at);
  const inUse = [facts.primary, ...facts.subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
  return inUse.map(endOfAlgorithm).filter(({ until }) => until > at && until < Number.POSITIVE_INFINITY);
}

/** When a primary key expires. */
export function endOfKey(facts: CertificateFacts, at: Instant): End {
  const { fingerprint: key, createdAt: since } = facts.primary;
  const state = primaryState(facts, at);
  const until = "code" in state ? at : (endOfLife(facts, at) ?? Number.POSITIVE_INFINITY);
  return { since, until, key, step: undefined };
}

/** When one of a certificate's component keys can't sign any more. */
function endOfSigner(facts: CertificateFacts, signer: Fingerprint, at: Instant): End {
  const primary = [endOfKey(facts, at), endOfAlgorithm(facts.primary)];
  const subkey = facts.subkeys.find(({ fingerprint }) => fingerprint === signer);
  if (subkey === undefined) return earliest(primary);
  const until = newest(subkey.bindings, subkey, at)[0]?.keyExpiresAt ?? Number.POSITIVE_INFINITY;
  const binding = { since: subkey.createdAt, until, key: signer, step: undefined };
  return earliest([...primary, binding, endOfAlgorithm(subkey)]);
}

/**
 * When a certificate can't sign any more: the expiry of the key that can sign longest.
 * @param signer the component key; undefined: the one that can sign longest
 * @returns undefined if it may not sign now
 */
export function endOfSigning(facts: CertificateFacts, at: Instant, signer?: Fingerprint): End | undefined {
  const able = [...signingKeys(facts, at)].filter((key) => signer === undefined || key === signer);
  return able.map((key) => endOfSigner(facts, key, at)).sort((a, b) => b.until - a.until)[0];
}

/** What expires first on a delegate's path: one of the delegations, or the key of an issuer. */
function endOfGrant({ steps }: Grant, { trusted, at }: TrustSet): End {
  const ends = steps.flatMap((step): End[] => {
    const issuer = trusted.get(step.issuer)?.facts;
    const delegation = { since: step.madeAt, until: step.expiresAt, key: step.subject, step };
    return [delegation, ...(issuer === undefined ? [] : [endOfKey(issuer, at), endOfAlgorithm(issuer.primary)])];
  });
  return ends.length === 0 ? { since: at, until: at, key: "", step: undefined } : earliest(ends);
}

/**
 * Until when a key may sign.
 * @param feed undefined: any feed at all
 * @param signer the component key; undefined: the one that can sign longest
 * @returns undefined if it may not sign now
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
