/** Validators: how a server identifies a version of a file, and conditional requests for it (RFC 9110 sections 8.8 and 13.1). */
import type { Duration, Instant } from "../time.ts";
import type { AnswerHead } from "./types.ts";

/** A validator: either the entity tag or the modification date of a file. */
interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** The longest entity tag that is stored. Tags are opaque. */
const maxTag = 256;

/**
 * A date is used only if the file is older than this. Dates have whole seconds and may come from different clocks, so that a
 * file that has just changed may change again without a new date.
 */
const settled: Duration = 60_000;

/**
 * Returns the validator in an answer; undefined if no validator surely distinguishes this version of the file from the next. A
 * weak tag or a date may be the same for two versions within one second, so neither is used for a file that has just changed.
 * @param latest the latest date that is plausible by the client's clock: after a date in the future, an honest server would
 * call every later version unchanged
 */
export function validatorOf({ headers }: AnswerHead, latest: Instant): Validator | undefined {
  const { etag, "last-modified": lastModified } = headers;
  const isTag = etag !== undefined && etag.length <= maxTag && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag);
  if (isTag && !etag.startsWith("W/")) return { etag };
  const changed = dateOf(lastModified);
  const answered = dateOf(headers.date);
  if (lastModified === undefined || changed === undefined || answered === undefined) return undefined;
  if (answered > latest || answered - changed < settled) return undefined;
  return isTag ? { etag } : { lastModified };
}

/** Whether the validator has no date, or a date that is not after `latest`. */
export function isDatedBy({ lastModified }: Validator, latest: Instant): boolean {
  return lastModified === undefined || (dateOf(lastModified) ?? Number.POSITIVE_INFINITY) <= latest;
}

/** Returns the request headers that ask for a file only if it has changed since this version; otherwise the answer is 304. */
export function unlessStill({ etag, lastModified }: Validator): Readonly<Record<string, string>> {
  if (etag !== undefined) return { "if-none-match": etag };
  return lastModified === undefined ? {} : { "if-modified-since": lastModified };
}

/** Parses a date in the only form that servers still send, such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
function dateOf(text: string | undefined): Instant | undefined {
  const isOne = text !== undefined && /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const at = isOne ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
