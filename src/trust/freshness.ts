/** T9: decides whether an index with a good signature may follow the last accepted index. */
import { escapeText } from "../escape.ts";
import { type Instant, iso } from "../time.ts";
import { type Refusal, refuse, skew } from "./policy.ts";

interface AcceptedIndex {
  /** The date by which enough keys had signed the index. */
  readonly createdAt: Instant;
  /** The SHA-256 digest of the signed bytes, in lower-case hex. */
  readonly sha256: string;
  readonly entries: number;
}

/**
 * T9: refuses an index that is older than the last accepted index, or that has the same date but different contents.
 * @param last the last accepted index of the same feed, if any
 */
export function refuseReplay(
  next: Omit<AcceptedIndex, "entries">,
  last: AcceptedIndex | undefined,
  at: Instant,
): Refusal | undefined {
  if (last === undefined) return undefined;
  // If somebody sets the clock back, expired signatures and keys become valid again.
  if (at + skew < last.createdAt) {
    return refuse(
      "not_yet_valid",
      `the clock says ${iso(at)}, before the date of the last accepted index, ${iso(last.createdAt)}`,
    );
  }
  if (next.createdAt < last.createdAt) {
    return refuse(
      "rollback",
      `it dates from ${iso(next.createdAt)}, older than ${iso(last.createdAt)} already accepted`,
    );
  }
  if (next.createdAt === last.createdAt && next.sha256 !== last.sha256) {
    return refuse(
      "rollback",
      `it has the same date as the last accepted index (${iso(next.createdAt)}) but different contents`,
    );
  }
  return undefined;
}

/**
 * T9: checks the dates in the text of a root (the signed file), in addition to the dates of its signatures.
 * @param before the date of the last accepted root of the same feed, in milliseconds
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
      `it says that it was made on ${iso(madeAt)}, earlier than the last accepted index, of ${iso(before)}`,
    );
  }
  if (validUntil !== undefined && validUntil < at) {
    return refuse("stale", `it says that it is valid until ${iso(validUntil)}`);
  }
  return undefined;
}

/**
 * T9: refuses a root if it names the repository differently from the last accepted root. Otherwise, if one key signs several repositories,
 * the signed root of another repository could replace this one.
 * @param before the names in the last accepted root; undefined if no root was accepted
 */
export function refuseOtherIdentity(
  next: Readonly<Record<string, string | undefined>>,
  before: Readonly<Record<string, string | undefined>> | undefined,
): Refusal | undefined {
  const changed = before && Object.keys(next).find((field) => next[field] !== before[field]);
  if (changed === undefined) return undefined;
  const words = (value: string | undefined) => (value === undefined ? "none" : `"${escapeText(value)}"`);
  return refuse(
    "wrong_feed",
    `its ${changed} was ${words(before?.[changed])}, and is now ${words(next[changed])}`,
    'another repository may have been put here: if its keepers announced the change, run "feedkey update --allow-releaseinfo-change"; until then the last good index stays in use',
  );
}

/** T13: refuses an index that lists no packages any more, unless `allowEmpty` is set. */
export function refuseEmptied(
  entries: number,
  last: AcceptedIndex | undefined,
  allowEmpty: boolean,
): Refusal | undefined {
  if (entries > 0 || allowEmpty || last === undefined || last.entries === 0) return undefined;
  return refuse("stale", `it lists no package, but the last accepted index listed ${last.entries}`);
}
