/**
 * Decides which redirects feedkey follows. An archive may redirect, because its files are signed; a key server may not, because
 * its answers are not signed.
 */
import type { FeedkeyError } from "../error.ts";
import { plainUrl, shown, unavailable } from "./failure.ts";
import type { AnswerHead, Policy, Redirects } from "./types.ts";

const redirecting = new Set([301, 302, 303, 307, 308]);

function refuse(from: URL, status: number, found: string): FeedkeyError {
  return unavailable(from, "redirect", found, {
    status,
    hint: "for safety, feedkey does not follow this redirect; if the new address is right, write that address into the profile",
  });
}

/**
 * Returns the next URL after an answer; undefined if the answer is not a redirect.
 * Archives may redirect to other hosts, for example to a mirror, or from http: to https:, but never from https: to http:.
 * Credentials stay with their host and port. Key servers may not redirect at all.
 * @param within "same-origin" limits an archive's redirects to the archive's own scheme, host and port
 * @throws FeedkeyError `unavailable` (`redirect`) if the redirect is not allowed
 */
export function nextUrl(from: URL, head: AnswerHead, policy: Policy, within: Redirects): URL | undefined {
  if (!redirecting.has(head.status)) return undefined;
  const location = head.headers.location ?? "";
  // An empty `Location` would be the same URL again, so it is not valid.
  const to = location !== "" && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined)
    throw refuse(from, head.status, `the server redirects to "${shown(location)}", which is not a URL`);
  const isWeb = to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:");
  if (policy === "keyserver" || !isWeb || (within === "same-origin" && to.origin !== from.origin)) {
    throw refuse(from, head.status, `the server redirects to "${shown(plainUrl(to))}"`);
  }
  // The comparison includes the port, because another port may belong to another person's server.
  const isSameHost = to.host === from.host;
  to.username = isSameHost ? from.username : "";
  to.password = isSameHost ? from.password : "";
  return to;
}

/** Makes the error (`unavailable`) for more than `most` redirects in a row. */
export function tooManyRedirects(from: URL, status: number, most: number): FeedkeyError {
  return refuse(from, status, `more than ${most} redirects in a row`);
}
