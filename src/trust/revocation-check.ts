/** T11: decides whether a key's revocation state is known well enough to use the key. */
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "./facts.ts";

export interface CheckPolicy {
  /** Whether keys need a check. False if the profile says `keyservers = none`: then feedkey has no server to ask. */
  readonly required: boolean;
  readonly revocationCheck: "always" | Duration;
  readonly grace: Duration;
  readonly at: Instant;
}

interface CheckRecord {
  /** The date of the last good check, in which a server gave a usable answer (*found* or *absent*). */
  readonly lastGoodAt: Instant;
}

export type CheckState =
  /** A good check was made in this run, or recently enough. */
  | "fresh"
  /**
   * No good check is recent enough, but the client knows the key, and the last good check is within the grace period: the key is usable,
   * with a warning.
   */
  | "grace"
  | "unchecked";

/**
 * Returns how well a key's revocation state is known.
 * @param askedAndAnswered whether a key server gave a usable answer about this key in this run
 * @param known whether this client accepted the key before, according to its ledger
 */
export function checkState(
  record: CheckRecord | undefined,
  askedAndAnswered: boolean,
  known: boolean,
  policy: CheckPolicy,
): CheckState {
  if (!policy.required || askedAndAnswered) return "fresh";
  // A check dated after the reference time does not count, because the clock was wrong then or is wrong now.
  if (record === undefined || record.lastGoodAt > policy.at) return "unchecked";
  const age = policy.at - record.lastGoodAt;
  if (policy.revocationCheck !== "always" && age <= policy.revocationCheck) return "fresh";
  return known && policy.grace > 0 && age <= policy.grace ? "grace" : "unchecked";
}

/** Whether feedkey has to ask the key servers about a key in this run. */
export function needsCheck(record: CheckRecord | undefined, policy: CheckPolicy): boolean {
  if (!policy.required || policy.revocationCheck === "always" || record === undefined) return policy.required;
  return record.lastGoodAt > policy.at || policy.at - record.lastGoodAt > policy.revocationCheck;
}

/** Returns the keys in `all` that may not be used, because no good revocation check is recent enough. */
export function uncheckedKeys(all: Iterable<Fingerprint>, state: (key: Fingerprint) => CheckState): Set<Fingerprint> {
  return new Set([...all].filter((key) => state(key) === "unchecked"));
}
