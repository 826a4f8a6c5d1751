/** Lists the delegations in the key store's certificates, so that the archive's keepers can renew each delegation in time. */

import { judgeOwn, nameOf, type Own, rootsOf } from "../signing/delegate-check.ts";
import { type Instant, iso, roughly } from "../time.ts";
import { offersAmong } from "../trust/delegation-offers.ts";
import { endOfKey, isNear } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";

/** The latest delegation from an issuer to a delegate. */
export interface DelegationRecord {
  readonly issuer: Fingerprint;
  readonly delegate: Fingerprint;
  /** The delegate's user ID. */
  readonly userId: string;
  /** Lists of globs. A feed is in the delegation if its name matches a glob in every list. */
  readonly feeds: readonly (readonly string[])[];
  readonly depth: number;
  readonly madeAt: Instant;
  readonly expiresAt: Instant;
  /** The reason why clients refuse the delegate; undefined if clients accept the delegate. */
  readonly refused: string | undefined;
}

/** Returns the archive's user ID if it is given, otherwise the user IDs of all keys that start a chain of delegations. */
function namesOf(own: Own, userId: string | undefined): string[] {
  if (userId !== undefined) return [userId];
  return [...new Set([...own.keys()].flatMap((key) => rootsOf(own, key).map(nameOf)))];
}

/**
 * Returns every delegation in the key store's certificates, sorted by expiry. The result also has delegations that clients refuse.
 * @param userId the archive's user ID; undefined for the delegations of any archive
 */
export function listDelegations(own: Own, userId: string | undefined, at: Instant): DelegationRecord[] {
  const certificates = new Map([...own].map(([key, { facts }]) => [key, facts]));
  const found = new Map<string, DelegationRecord>();
  for (const name of namesOf(own, userId)) {
    const { delegations, rejected } = judgeOwn(own, name, at);
    const offers = offersAmong(certificates, { identity: { kind: "user-id", userId: name }, at });
    for (const { issuer, subject, scopes: feeds, depth, madeAt, expiresAt } of [...offers.values()].flat()) {
      const facts = certificates.get(subject);
      const link = delegations.find((one) => one.issuer === issuer && one.subject === subject);
      const own = facts && refusePrimary(facts, at)?.reason;
      const refused = own ?? link?.refusal?.reason ?? (link === undefined ? rejected.get(subject)?.reason : undefined);
      const known = found.get(`${issuer} ${subject}`);
      if (known !== undefined && known.refused === undefined) continue;
      const record = { issuer, delegate: subject, userId: facts?.userIds[0]?.text ?? "", feeds, depth };
      found.set(`${issuer} ${subject}`, { ...record, madeAt, expiresAt, refused });
    }
  }
  return [...found.values()].sort((a, b) => a.expiresAt - b.expiresAt || (a.delegate < b.delegate ? -1 : 1));
}

/** Returns one line for each delegation and each key of an issuer or delegate that a keeper must renew soon. */
export function soonToEnd(records: readonly DelegationRecord[], own: Own, at: Instant): string[] {
  const holding = records.filter(({ refused }) => refused === undefined);
  const ending = holding.filter(({ madeAt, expiresAt }) => isNear({ since: madeAt, until: expiresAt }, at));
  const delegations = ending.map(({ issuer, delegate, userId, expiresAt }) => {
    const below = holding.filter((other) => other.issuer === delegate).length;
    const with_ =
      below === 0 ? "" : `, and so ${below === 1 ? "does a delegation" : `do ${below} delegations`} by ${delegate}`;
    return `in ${roughly(expiresAt - at)}, on ${iso(expiresAt)}, the delegation of ${delegate} (${userId}) by ${issuer} ends${with_}`;
  });
  const involved = new Set(holding.flatMap(({ issuer, delegate }) => [issuer, delegate]));
  const keys = [...involved].flatMap((key) => {
    const facts = own.get(key)?.facts;
    const end = facts && endOfKey(facts, at);
    if (end === undefined || !isNear(end, at)) return [];
    const made = holding.filter(({ issuer }) => issuer === key).length;
    const also = made === 0 ? "" : `; ${made === 1 ? "a delegation" : `${made} delegations`} by this key will end too`;
    return [`in ${roughly(end.until - at)}, on ${iso(end.until)}, the key ${key} expires${also}`];
  });
  return [...delegations, ...keys];
}
