/** Where a redirect may lead. A server that could send us anywhere could send us to a weaker place. */
import type { FeedkeyError } from "../error.ts";
import { plainUrl, shown, unavailable } from "./failure.ts";
import type { AnswerHead, Policy } from "./types.ts";

const redirecting = new Set([301, 302, 303, 307, 308]);

function refuse(from: URL, status: number, found: string): FeedkeyError {
  return unavailable(from, "redirect", found, {
    status,
    hint: "not followed, for safety; if the new address is right, write it into the profile",
  });
}

/**
 * The next URL of an answer, or undefined if it is no redirect.
 * Archives may redirect within their own origin (scheme, host and port); key servers not at all.
 * @throws FeedkeyError `unavailable` (`redirect`)
 */
export function nextUrl(from: URL, head: AnswerHead, policy: Policy): URL | undefined {
  if (!redirecting.has(head.status)) return undefined;
  const location = head.headers.location ?? "";
  // An empty one would mean this same address again.
  const to = location !== "" && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined)
    throw refuse(from, head.status, `the server redirects to "${shown(location)}", which is no address`);
  if (policy === "keyserver" || to.origin !== from.origin || to.protocol !== from.protocol) {
    throw refuse(from, head.status, `the server redirects to "${shown(plainUrl(to))}"`);
  }
  to.username = from.username;
  to.password = from.password;
  return to;
}

/** The error of a chain of redirects that goes on for more than `most` (`unavailable`). */
export function tooManyRedirects(from: URL, status: number, most: number): FeedkeyError {
  return refuse(from, status, `more than ${most} redirects in a row`);
}
