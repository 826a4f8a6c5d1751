/** What a server calls one version of a file by, and the question whether it still has that one (RFC 9110 sections 8.8 and 13.1). */
import type { Duration, Instant } from "../time.ts";
import type { AnswerHead } from "./types.ts";

/** Either the tag or the date. */
export interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** Tags are opaque; one that is longer than this is not worth keeping. */
const maxTag = 256;

/** A date counts whole seconds, and two clocks may have made the two dates: a file younger than this may change unseen. */
const settled: Duration = 60_000;

/**
 * What an answer's version can be asked for by later; undefined if nothing tells it from the next one for certain.
 * A weak tag may stand for two versions made within a second, as a date may: neither is used of a file that has only just changed.
 * @param latest the latest date that can be true by our own clock: with one from the future, an honest server would call
 *   every later version unchanged
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

/** Whether its date, if it has one, is at most the given one. */
export function isDatedBy({ lastModified }: Validator, latest: Instant): boolean {
  return lastModified === undefined || (dateOf(lastModified) ?? Number.POSITIVE_INFINITY) <= latest;
}

/** The request headers that ask for a file only if it is no longer this version: else the answer is 304. */
export function unlessStill({ etag, lastModified }: Validator): Readonly<Record<string, string>> {
  if (etag !== undefined) return { "if-none-match": etag };
  return lastModified === undefined ? {} : { "if-modified-since": lastModified };
}

/** A date in the one form that servers still send, such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
function dateOf(text: string | undefined): Instant | undefined {
  const isOne = text !== undefined && /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const at = isOne ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
