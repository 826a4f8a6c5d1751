/** What all rules share: the tolerance for clocks, which algorithms are strong enough (T3e), and until when (T14). */
import type { ErrorCode } from "../error.ts";
import { type Duration, type Instant, iso } from "../time.ts";
import type { KeyFacts, SignatureFacts } from "./facts.ts";

/** The clocks of the archive and the client may differ by this much. */
export const skew: Duration = 5 * 60_000;

/** A refusal by a rule: its code (docs/trust-rules.md) and the reason in words. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  /** A hint that replaces the usual hint for the code, if the usual hint would mislead. */
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
 * T14: the first moment at which an algorithm is refused. The dates are those of apt 3, in its policy for sqv. Algorithms
 * that apt or Sequoia's StandardPolicy already refuse are always refused (T3e).
 */
const firstRefused = {
  brainpool: Date.UTC(2028, 1, 1),
  rsaBelow3072: Date.UTC(2030, 1, 1),
} as const;

/** T14: returns the date from which a key's algorithm is refused; infinity if no date is known. */
export function refusedFrom({ algorithm, bits, curve }: KeyFacts): Instant {
  if (algorithm === "rsa" && bits < 3072) return firstRefused.rsaBelow3072;
  if (algorithm === "ecdsa" && curve?.startsWith("brainpool") === true) return firstRefused.brainpool;
  return Number.POSITIVE_INFINITY;
}

/** Describes a key's algorithm for messages, as people know it. */
export function algorithmWords({ algorithm, bits, curve }: KeyFacts): string {
  if (algorithm === "rsa") return `RSA of ${bits} bits`;
  return curve === undefined ? algorithm : `${algorithm.toUpperCase()} on ${curve}`;
}

/**
 * T14: refuses an algorithm by the reference time. A signature's own date does not count, because its maker chooses
 * that date.
 */
export function refuseOutdated(key: KeyFacts, at: Instant): Refusal | undefined {
  const from = refusedFrom(key);
  if (at < from) return undefined;
  return refuse("weak_algorithm", `the key is ${algorithmWords(key)}, which is refused from ${iso(from)} on`);
}

/**
 * Refuses a signature that can't be taken into account at `at`. A usable signature has a hashed date that is neither
 * before the creation of its key nor after now, has not expired, and has nothing critical that feedkey does not know.
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
