/** Repeats a request if the server asks for this with Retry-After, for a limited time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Duration } from "../time.ts";
import { keyserverLimits } from "./limits.ts";
import type { HttpAnswer } from "./types.ts";

/**
 * Returns how long the server asks the client to wait with `Retry-After` in a 429 or 503 answer (RFC 9110 section 10.2.3); undefined
 * if the server does not ask. Compares a date with the server's own `Date` header, so that no clock needs to be right.
 */
export function retryAfter(answer: HttpAnswer): Duration | undefined {
  const wish = answer.headers["retry-after"];
  if ((answer.status !== 429 && answer.status !== 503) || wish === undefined) return undefined;
  if (/^\d{1,9}$/.test(wish)) return Number(wish) * 1000;
  // This check is needed because Date.parse accepts many forms that are not HTTP dates.
  if (!/^[A-Z][a-z]{2}, \d\d .* GMT$/.test(wish)) return undefined;
  const wait = Date.parse(wish) - Date.parse(answer.headers.date ?? "");
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Starts one time limit for several requests. @returns a function that returns the remaining milliseconds, 0 at the end */
export function countdown(total: Duration): () => Duration {
  const started = performance.now();
  return () => Math.max(0, Math.ceil(total - (performance.now() - started)));
}

/**
 * Sends a request. If the answer has Retry-After, waits for this time and repeats the request, at most twice. Returns the
 * answer at once if the wait would exceed `within`.
 * @param within the time limit for all requests and waits together, in milliseconds
 * @param ask sends the request; receives the remaining time in milliseconds
 */
export async function patiently(within: Duration, ask: (left: Duration) => Promise<HttpAnswer>): Promise<HttpAnswer> {
  const left = countdown(within);
  for (let again = 0; ; again++) {
    const answer = await ask(Math.max(1, left()));
    const wait = retryAfter(answer);
    if (wait === undefined || again === keyserverLimits.retries || wait >= left()) return answer;
    await sleep(wait);
  }
}
