/**
 * Finds everything that ends soon unless the archive's keepers act: keys, their algorithms, signing subkeys, delegations, and a
 * rotation that must be finished.
 */
import { isDeepStrictEqual } from "node:util";
import type { Own } from "../signing/delegate-check.ts";
import { rotationState } from "../signing/rotation-state.ts";
import { type Duration, type Instant, iso, roughly } from "../time.ts";
import { algorithmWarning, type End, endOfKey, endOfSigning, endsOfAlgorithms } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { newest, refusePrimary, refuseSubkey } from "../trust/key-state.ts";
import { type DelegationRecord, listDelegations } from "./delegations.ts";

/** The default time between the warning and the expiry. */
export const usualWarning: Duration = 60 * 86_400_000;

/** An end, such as the expiry of a key, that a keeper must know in time. */
export interface EndAhead {
  readonly kind: "key" | "subkey" | "delegation" | "rotation" | "algorithm";
  /** The key that the end concerns. For a delegation, this is the delegate; for a rotation, the successor. */
  readonly key: Fingerprint;
  /**
   * The date of the end. For an algorithm, this is the date from which clients refuse the algorithm. If the date is not after the
   * reference time, the end has passed, or the rotation is due.
   */
  readonly endsAt: Instant;
  /** A sentence that tells what ends, and what the keeper can do. */
  readonly text: string;
}

/** How long before an end to warn. */
interface Ahead {
  readonly at: Instant;
  /**
   * How long before an end to warn; 0 for no warnings. Undefined for the default of 60 days. With the default, a validity period
   * of less than 120 days causes a warning only in its second half.
   */
  readonly within: Duration | undefined;
  /** How long to warn before clients refuse an algorithm (T14). */
  readonly withinForAlgorithms: Duration;
}

/**
 * Returns how long before an end to warn.
 * @param warnWithin the time that the keeper chose; undefined for 60 days, and for one year before an algorithm is refused
 */
export function lookAhead(at: Instant, warnWithin: Duration | undefined): Ahead {
  return { at, within: warnWithin, withinForAlgorithms: warnWithin ?? algorithmWarning };
}

function inTime(until: Instant, at: Instant): string {
  return `in ${roughly(until - at)}, on ${iso(until)},`;
}

function isAhead(
  { since, until }: Pick<End, "since" | "until">,
  { at, within }: Pick<Ahead, "at" | "within">,
): boolean {
  // For example, a key with a validity period of one month is not near its end on its first day.
  if (within === undefined) return until - at < Math.min(usualWarning, (until - since) / 2);
  return within > 0 && until - at < within;
}

/** Returns the expired subkeys of a key that can't sign any more. */
function lapsed(facts: CertificateFacts, at: Instant): EndAhead[] {
  const { fingerprint } = facts.primary;
  return facts.subkeys.flatMap((subkey): EndAhead[] => {
    if (refuseSubkey(subkey, at)?.code !== "expired") return [];
    const endsAt = newest(subkey.bindings, subkey, at)[0]?.keyExpiresAt ?? at;
    const text = `since ${iso(endsAt)} the key ${fingerprint} can't sign: its subkey ${subkey.fingerprint} has expired; make a new subkey with feedkey key subkey add`;
    return [{ kind: "subkey", key: subkey.fingerprint, endsAt, text }];
  });
}

/** T14: returns when clients begin to refuse a key or its signing subkeys because of their algorithms. */
function endsOfAlgorithmsOf(facts: CertificateFacts, { at, withinForAlgorithms }: Ahead): EndAhead[] {
  const ends = endsOfAlgorithms(facts, at).filter((end) => isAhead(end, { at, within: withinForAlgorithms }));
  return ends.map(({ key, until, algorithm }) => {
    const isPrimary = key === facts.primary.fingerprint;
    const remedy = isPrimary
      ? "rotate to a stronger key with feedkey rotate"
      : "make a new subkey with feedkey key subkey add";
    const text = `${inTime(until, at)} clients begin to refuse the ${isPrimary ? "" : "signing sub"}key ${key} because of its algorithm, ${algorithm}: ${remedy}`;
    return { kind: "algorithm", key, endsAt: until, text };
  });
}

/** Returns when a key and its signing subkey expire. The result is empty if clients already refuse the key. */
function endsOfKey(facts: CertificateFacts, ahead: Ahead): EndAhead[] {
  const { at } = ahead;
  if (refusePrimary(facts, at) !== undefined) return [];
  const { fingerprint } = facts.primary;
  const end = endOfKey(facts, at);
  const { until } = end;
  const key = endsOfAlgorithmsOf(facts, ahead);
  if (isAhead(end, ahead)) {
    const text = `${inTime(until, at)} the key ${fingerprint} expires: extend the key with feedkey key extend, or rotate to a new key with feedkey rotate`;
    key.push({ kind: "key", key: fingerprint, endsAt: until, text });
  }
  const signing = endOfSigning(facts, at);
  if (signing === undefined) return [...key, ...lapsed(facts, at)];
  if (signing.key === fingerprint || signing.algorithm !== undefined || !isAhead(signing, ahead)) return key;
  const words = `${inTime(signing.until, at)} the signing subkey ${signing.key} of ${fingerprint} expires: make a new subkey with feedkey key subkey add`;
  return [...key, { kind: "subkey", key: signing.key, endsAt: signing.until, text: words }];
}

function endsOfDelegations(records: readonly DelegationRecord[], ahead: Ahead): EndAhead[] {
  const inForce = records.filter(({ refused }) => refused === undefined);
  const ending = inForce.filter((one) => {
    const isReplaced = inForce.some(({ delegate, feeds, expiresAt }) => {
      // For example, the successor of the issuer has made a later delegation of the same feeds to the same delegate.
      return delegate === one.delegate && expiresAt > one.expiresAt && isDeepStrictEqual(feeds, one.feeds);
    });
    return !isReplaced && isAhead({ since: one.madeAt, until: one.expiresAt }, ahead);
  });
  return ending.map(({ issuer, delegate, userId, expiresAt }) => {
    const text = `${inTime(expiresAt, ahead.at)} the delegation of ${delegate} (${userId}) by ${issuer} ends: renew the delegation with feedkey delegate`;
    return { kind: "delegation", key: delegate, endsAt: expiresAt, text };
  });
}

/**
 * Returns the ends that stop a key from signing, and the ends of the delegations that the key made. If the key is a delegate, the
 * keys from which its rights come may end too, so their ends are in the result.
 * @param userId the archive's user ID; undefined for any archive
 */
export function endsOfSigner(own: Own, key: Fingerprint, userId: string | undefined, ahead: Ahead): EndAhead[] {
  const records = listDelegations(own, userId, ahead.at);
  const above = new Set([key]);
  for (const one of above) for (const { delegate, issuer } of records) if (delegate === one) above.add(issuer);
  const concerned = records.filter(({ issuer, delegate }) => above.has(delegate) || issuer === key);
  return [...endsOfKeys(own, [...above], ahead), ...endsOfDelegations(concerned, ahead)];
}

/** Returns the ends of keys and their subkeys, sorted by date. */
function endsOfKeys(own: Own, keys: readonly Fingerprint[], ahead: Ahead): EndAhead[] {
  const ends = keys.flatMap((key) => {
    const facts = own.get(key)?.facts;
    return facts === undefined ? [] : endsOfKey(facts, ahead);
  });
  return ends.sort((a, b) => a.endsAt - b.endsAt);
}

/** Whether a key has a successor that clients do not refuse. If so, no keeper has to extend the key. */
export function isFollowed(own: Own, key: Fingerprint, at: Instant): boolean {
  const certificate = own.get(key);
  if (certificate === undefined) return false;
  return certificate.facts.userIds.some(
    ({ text }) => rotationState(own, certificate, text, at).successor !== undefined,
  );
}

/**
 * Returns the ends of these keys and of all known delegations.
 * @param userId the archive's user ID; undefined for any archive
 */
export function endsOfAll(
  own: Own,
  keys: readonly Fingerprint[],
  userId: string | undefined,
  ahead: Ahead,
): EndAhead[] {
  return [...endsOfKeys(own, keys, ahead), ...endsOfDelegations(listDelegations(own, userId, ahead.at), ahead)];
}

/**
 * Returns when the second step of a rotation is due. The result is empty if no rotation is in progress, or if the second step is
 * not due soon.
 * @param present a key in `own`
 * @param secrets the keys whose secrets are in the store. Without the successor's secret, the rotation can't be finished
 */
export function endOfRotation(
  own: Own,
  present: Fingerprint,
  userId: string,
  secrets: ReadonlySet<Fingerprint>,
  ahead: Ahead,
): EndAhead[] {
  const certificate = own.get(present);
  if (certificate === undefined) return [];
  const { at } = ahead;
  const { successor, overlapEnds } = rotationState(own, certificate, userId, at);
  const { within = usualWarning } = ahead;
  if (
    successor === undefined ||
    overlapEnds === undefined ||
    !isAhead({ since: at, until: overlapEnds }, { at, within })
  ) {
    return [];
  }
  const key = successor.raw.fingerprint;
  const when = overlapEnds <= at ? `since ${iso(overlapEnds)}` : inTime(overlapEnds, at);
  const next = secrets.has(key)
    ? "feedkey rotate --finish"
    : "the successor's secret key is not in this key store: restore the key with feedkey key restore DIR, or import the key with feedkey key import; if you have no copy of the key, withdraw the successor with feedkey rotate --abandon";
  const text = `${when} the rotation to ${key} is due: ${next}`;
  return [{ kind: "rotation", key, endsAt: overlapEnds, text }];
}
