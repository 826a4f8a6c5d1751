/** T9: whether an index that was rightfully signed may follow the last one that was accepted. */
import { type Instant, iso } from "../time.ts";
import { type Refusal, refuse, skew } from "./policy.ts";

export interface AcceptedIndex {
  /** Date of its signature. */
  readonly createdAt: Instant;
  /** SHA-256 of the signed bytes, lower-case hex. */
  readonly sha256: string;
  readonly entries: number;
}

/** @param last the last accepted index of the same feed, if there is one */
export function refuseReplay(
  next: Omit<AcceptedIndex, "entries">,
  last: AcceptedIndex | undefined,
  at: Instant,
): Refusal | undefined {
  if (last === undefined) return undefined;
  // A clock that was set back would revive expired signatures and keys.
  if (at + skew < last.createdAt) {
    return refuse(
      "not_yet_valid",
      `the clock says ${iso(at)}, before the last accepted index of ${iso(last.createdAt)}`,
    );
  }
  if (next.createdAt < last.createdAt) {
    return refuse(
      "rollback",
      `it dates from ${iso(next.createdAt)}, older than ${iso(last.createdAt)} already accepted`,
    );
  }
  if (next.createdAt === last.createdAt && next.sha256 !== last.sha256) {
    return refuse("rollback", `it has the date of the last accepted index (${iso(next.createdAt)}) but other contents`);
  }
  return undefined;
}

/**
 * T9: the dates that a root gives itself, beside those of its signatures.
 * @param content milliseconds
 * @param before the date of the last accepted root of the same feed
 */
export function refuseContent(
  { madeAt, validUntil }: { readonly madeAt: Instant; readonly validUntil: Instant | undefined },
  before: Instant | undefined,
  at: Instant,
): Refusal | undefined {
  if (madeAt > at + skew) return refuse("not_yet_valid", `it says that it was made on ${iso(madeAt)}`);
  if (before !== undefined && madeAt < before) {
    return refuse(
      "rollback",
      `it says that it was made on ${iso(madeAt)}, before the one of ${iso(before)} already accepted`,
    );
  }
  if (validUntil !== undefined && validUntil < at) {
    return refuse("stale", `it says that it is valid until ${iso(validUntil)}`);
  }
  return undefined;
}

/** T13: an index that became empty is kept out unless that is wanted. */
export function refuseEmptied(
  entries: number,
  last: AcceptedIndex | undefined,
  allowEmpty: boolean,
): Refusal | undefined {
  if (entries > 0 || allowEmpty || last === undefined || last.entries === 0) return undefined;
  return refuse("stale", `it lists no package, and the last accepted index listed ${last.entries}`);
}
