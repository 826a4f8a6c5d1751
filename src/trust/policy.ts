/**
 * What all rules share: the tolerance for clocks, which algorithms are strong enough (T3e), and from when on algorithms are refused (T14).
 */
import type { ErrorCode } from "../error.ts";
import { type Duration, type Instant, iso } from "../time.ts";
import type { KeyFacts, SignatureFacts } from "./facts.ts";

/** How far the clocks of the archive and the client may differ. */
export const skew: Duration = 5 * 60_000;

/** A refusal by a rule: its code (docs/trust-rules.md) and the reason in words. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  /** The hint to print instead of the usual hint for the code, if the usual hint would mislead. */
  readonly hint?: string;
}

/**
 * Makes a refusal.
 * @param reason the reason as words that follow a name and a colon: lower case, no full stop
 */
export function refuse(code: ErrorCode, reason: string, hint?: string): Refusal {
  return { code, reason, ...(hint === undefined ? {} : { hint }) };
}

const strongHashes = new Set(["sha256", "sha384", "sha512", "sha3-256", "sha3-512"]);
const strongAlgorithms = new Set(["rsa", "ecdsa", "eddsaLegacy", "ed25519", "ed448"]);

/** T3e: refuses hash algorithms weaker than SHA-256. */
export function refuseWeakHash({ hash }: SignatureFacts): Refusal | undefined {
  return strongHashes.has(hash) ? undefined : refuse("weak_algorithm", `it uses ${hash.toUpperCase()}`);
}

/** T3e: refuses RSA keys below 2048 bits, DSA, ElGamal, and other algorithms that are not known to be strong. */
export function refuseWeakKey(key: KeyFacts): Refusal | undefined {
  if (!strongAlgorithms.has(key.algorithm)) {
    return refuse("weak_algorithm", `the key's algorithm is ${key.algorithm.toUpperCase()}`);
  }
  if (key.algorithm === "rsa" && key.bits < 2048) {
    return refuse("weak_algorithm", `the key is RSA of only ${key.bits} bits`);
  }
  return undefined;
}

/**
 * T14: the dates from which algorithms are refused, as in apt 3's policy for sqv. Algorithms that apt or Sequoia's StandardPolicy already
 * refuse are always refused (T3e).
 */
const firstRefused = {
  brainpool: Date.UTC(2028, 1, 1),
  rsaBelow3072: Date.UTC(2030, 1, 1),
} as const;

/** T14: returns the date from which a key's algorithm is refused; infinity if the algorithm has no such date. */
export function refusedFrom({ algorithm, bits, curve }: KeyFacts): Instant {
  if (algorithm === "rsa" && bits < 3072) return firstRefused.rsaBelow3072;
  if (algorithm === "ecdsa" && curve?.startsWith("brainpool") === true) return firstRefused.brainpool;
  return Number.POSITIVE_INFINITY;
}

/** Describes a key's algorithm for messages, with the usual names. */
export function algorithmWords({ algorithm, bits, curve }: KeyFacts): string {
  if (algorithm === "rsa") return `RSA of ${bits} bits`;
  return curve === undefined ? algorithm : `${algorithm.toUpperCase()} on ${curve}`;
}

/**
 * T14: refuses a key whose algorithm is refused at the reference time. The date of a signature by this key does not count, because the
 * maker of a signature chooses its date.
 */
export function refuseOutdated(key: KeyFacts, at: Instant): Refusal | undefined {
  const from = refusedFrom(key);
  if (at < from) return undefined;
  return refuse("weak_algorithm", `the key is ${algorithmWords(key)}, which is refused from ${iso(from)} on`);
}

/**
 * Refuses a signature that can't count at `at`. A usable signature has a date in its hashed area, which is neither before the creation of
 * the key that made it nor after now; it has not expired, and has nothing critical that feedkey does not know.
 * @param notBefore the creation date of the key that made the signature
 */
export function refuseSignature(signature: SignatureFacts, notBefore: Instant, at: Instant): Refusal | undefined {
  const { createdAt, expiresAt, unknownCritical } = signature;
  if (createdAt === undefined) return refuse("bad_signature", "it has no date in its signed part");
  if (unknownCritical.length > 0) return refuse("bad_signature", `it has ${unknownCritical.join(", ")}`);
  if (createdAt < notBefore) return refuse("bad_signature", "it is older than the key that made it");
  if (createdAt > at + skew) return refuse("not_yet_valid", "it is dated in the future");
  if (expiresAt !== undefined && expiresAt <= at) return refuse("expired", "it has expired");
  return undefined;
}
