/**
 * Validators (ETag and date), by which a server identifies a version of a file, and conditional requests (RFC 9110 sections 8.8
 * and 13.1).
 */
import type { Duration, Instant } from "../time.ts";
import type { AnswerHead } from "./types.ts";

/** A validator, which is either the entity tag or the modification date of a file. */
interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** The length of the longest entity tag that the client stores, in characters. */
const maxTag = 256;

/**
 * The client uses the date of a file as a validator only if the file is older than this. Dates have whole seconds and may come
 * from different clocks, so a file that has just changed may change again without a new date.
 */
const settled: Duration = 60_000;

/**
 * Returns the validator in an answer; undefined if none reliably distinguishes this version of the file from the next. Two versions
 * from the same second may have the same weak tag or date, so for a file that has just changed, the client uses neither.
 * @param latest the latest plausible date by the client's clock. If the client stored a date in the future, even an honest
 *   server would call every later version unchanged
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

/** Returns the headers of a conditional request: the server answers 304 if the file still is this version. */
export function unlessStill({ etag, lastModified }: Validator): Readonly<Record<string, string>> {
  if (etag !== undefined) return { "if-none-match": etag };
  return lastModified === undefined ? {} : { "if-modified-since": lastModified };
}

/** Parses an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`. Servers no longer send the older forms. */
function dateOf(text: string | undefined): Instant | undefined {
  const isOne = text !== undefined && /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const at = isOne ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
