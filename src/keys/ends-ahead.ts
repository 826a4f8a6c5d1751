/**
 * Finds what keepers must renew soon: keys, their algorithms, signing subkeys, delegations, and a rotation that must be
 * finished.
 */
import { isDeepStrictEqual } from "node:util";
import type { Own } from "../signing/delegate-check.ts";
import { rotationState } from "../signing/rotation-state.ts";
import { type Duration, type Instant, iso, roughly } from "../time.ts";
import { algorithmWarning, type End, endOfKey, endOfSigning, endsOfAlgorithms } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { newest, refusePrimary, refuseSubkey } from "../trust/key-state.ts";
import { type DelegationRecord, listDelegations } from "./delegations.ts";

/** By default, keepers are warned this long before an expiry. */
export const usualWarning: Duration = 60 * 86_400_000;

/** Something that ends unless a keeper renews it. */
export interface EndAhead {
  readonly kind: "key" | "subkey" | "delegation" | "rotation" | "algorithm";
  /** The key that is concerned: for a delegation, the delegate; for a rotation, the successor. */
  readonly key: Fingerprint;
  /**
   * The date of the end; for an algorithm, the date from which clients refuse the algorithm. A date
   * that is not after the reference time means that the end has passed, or that the rotation is due.
   */
  readonly endsAt: Instant;
  /** What ends, and what the keeper can do about it. */
  readonly text: string;
}

/** How far ahead to look for ends. */
interface Ahead {
  readonly at: Instant;
  /**
   * How long before an end to warn; 0 for no warnings. Undefined for the default; then, what lasts less than four months
   * counts only when half of its time is over.
   */
  readonly within: Duration | undefined;
  /** How long before an algorithm is refused to warn (T14). */
  readonly withinForAlgorithms: Duration;
}

/** Returns how far ahead to look. @param warnWithin the time from the keeper; undefined for 60 days, and a year for algorithms */
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
  // A key that was made for one month is not near its end on its first day.
  if (within === undefined) return until - at < Math.min(usualWarning, (until - since) / 2);
  return within > 0 && until - at < within;
}

/** Returns the signing subkeys that have expired, for a key that can't sign because of this. */
function lapsed(facts: CertificateFacts, at: Instant): EndAhead[] {
  const { fingerprint } = facts.primary;
  return facts.subkeys.flatMap((subkey): EndAhead[] => {
    if (refuseSubkey(subkey, at)?.code !== "expired") return [];
    const endsAt = newest(subkey.bindings, subkey, at)[0]?.keyExpiresAt ?? at;
    const text = `since ${iso(endsAt)} the key ${fingerprint} can't sign: its subkey ${subkey.fingerprint} has expired; make another with feedkey key subkey add`;
    return [{ kind: "subkey", key: subkey.fingerprint, endsAt, text }];
  });
}

/** T14: returns when clients will refuse a key or its signing subkeys for their algorithms. */
function endsOfAlgorithmsOf(facts: CertificateFacts, { at, withinForAlgorithms }: Ahead): EndAhead[] {
  const ends = endsOfAlgorithms(facts, at).filter((end) => isAhead(end, { at, within: withinForAlgorithms }));
  return ends.map(({ key, until, algorithm }) => {
    const isPrimary = key === facts.primary.fingerprint;
    const remedy = isPrimary
      ? "let a stronger key follow with feedkey rotate"
      : "make another with feedkey key subkey add";
    const text = `${inTime(until, at)} clients begin to refuse the ${isPrimary ? "" : "signing sub"}key ${key} for its algorithm, ${algorithm}: ${remedy}`;
    return { kind: "algorithm", key, endsAt: until, text };
  });
}

/** Returns when a key and its signing subkey expire; empty for a key that is already refused. */
function endsOfKey(facts: CertificateFacts, ahead: Ahead): EndAhead[] {
  const { at } = ahead;
  if (refusePrimary(facts, at) !== undefined) return [];
  const { fingerprint } = facts.primary;
  const end = endOfKey(facts, at);
  const { until } = end;
  const key = endsOfAlgorithmsOf(facts, ahead);
  if (isAhead(end, ahead)) {
    const text = `${inTime(until, at)} the key ${fingerprint} expires: renew it with feedkey key extend, or let another follow with feedkey rotate`;
    key.push({ kind: "key", key: fingerprint, endsAt: until, text });
  }
  const signing = endOfSigning(facts, at);
  if (signing === undefined) return [...key, ...lapsed(facts, at)];
  if (signing.key === fingerprint || signing.algorithm !== undefined || !isAhead(signing, ahead)) return key;
  const words = `${inTime(signing.until, at)} the signing subkey ${signing.key} of ${fingerprint} expires: make another with feedkey key subkey add`;
  return [...key, { kind: "subkey", key: signing.key, endsAt: signing.until, text: words }];
}

function endsOfDelegations(records: readonly DelegationRecord[], ahead: Ahead): EndAhead[] {
  const inForce = records.filter(({ refused }) => refused === undefined);
  const ending = inForce.filter((one) => {
    const isReplaced = inForce.some(({ delegate, feeds, expiresAt }) => {
      // For example, the successor of the key that made the first delegation has replaced the delegation.
      return delegate === one.delegate && expiresAt > one.expiresAt && isDeepStrictEqual(feeds, one.feeds);
    });
    return !isReplaced && isAhead({ since: one.madeAt, until: one.expiresAt }, ahead);
  });
  return ending.map(({ issuer, delegate, userId, expiresAt }) => {
    const text = `${inTime(expiresAt, ahead.at)} the delegation of ${delegate} (${userId}) by ${issuer} ends: renew it with feedkey delegate`;
    return { kind: "delegation", key: delegate, endsAt: expiresAt, text };
  });
}

/**
 * Returns what will stop one key from signing, including ends of the keys above a delegate, and the ends of the key's
 * own delegations.
 * @param userId the archive's user ID; undefined for any archive
 */
export function endsOfSigner(own: Own, key: Fingerprint, userId: string | undefined, ahead: Ahead): EndAhead[] {
  const records = listDelegations(own, userId, ahead.at);
  const above = new Set([key]);
  for (const one of above) for (const { delegate, issuer } of records) if (delegate === one) above.add(issuer);
  const concerned = records.filter(({ issuer, delegate }) => above.has(delegate) || issuer === key);
  return [...endsOfKeys(own, [...above], ahead), ...endsOfDelegations(concerned, ahead)];
}

/** Returns what ends for these keys, sorted by date. */
function endsOfKeys(own: Own, keys: readonly Fingerprint[], ahead: Ahead): EndAhead[] {
  const ends = keys.flatMap((key) => {
    const facts = own.get(key)?.facts;
    return facts === undefined ? [] : endsOfKey(facts, ahead);
  });
  return ends.sort((a, b) => a.endsAt - b.endsAt);
}

/** Whether a key has a successor that is not refused; then no keeper has to renew the key. */
export function isFollowed(own: Own, key: Fingerprint, at: Instant): boolean {
  const certificate = own.get(key);
  if (certificate === undefined) return false;
  return certificate.facts.userIds.some(
    ({ text }) => rotationState(own, certificate, text, at).successor !== undefined,
  );
}

/**
 * Returns what ends for these keys and for all known delegations. @param userId the archive's user ID; undefined for
 * any archive
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
 * Returns when the second step of a rotation is due; empty if no rotation is in progress.
 * @param present a key in `own`
 * @param secrets the keys whose secrets are in the store: without the successor's secret, the rotation can't be
 * finished
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
    : "its secret key is not here: bring it back with feedkey key restore DIR, or take it in with feedkey key import; if it is lost, withdraw it with feedkey rotate --abandon";
  const text = `${when} the rotation to ${key} is due: ${next}`;
  return [{ kind: "rotation", key, endsAt: overlapEnds, text }];
}
