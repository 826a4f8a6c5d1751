/** Continues a large download after the connection breaks. The caller hashes all bytes, from the first to the last. */
import { FeedkeyError } from "../error.ts";
import type { Duration } from "../time.ts";
import { unavailable } from "./failure.ts";
import { countdown, patiently } from "./retry-after.ts";
import type { AnswerHead, GetOptions, HttpAnswer, Transport } from "./types.ts";

/** How often one download may break. After each break, the next part must bring at least one new byte; otherwise feedkey gives up. */
const mostBreaks = 20;

/** How long feedkey waits in total for a server that answers 429 or 503 with Retry-After. */
const patience: Duration = 60_000;

const broken: ReadonlySet<unknown> = new Set(["cut_off", "timeout"]);

/**
 * Downloads a file. If the connection breaks or stalls, requests the rest of the file with Range (RFC 9110 section 14).
 * @param take receives each byte once, in order
 * @returns the last answer: its status is 200 or 206 if all bytes arrived, and another status if not
 * @throws FeedkeyError as `Transport.get` does, and every error of `take`
 */
export async function getResuming(
  transport: Transport,
  url: URL,
  terms: Omit<GetOptions, "sink" | "headers">,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<HttpAnswer> {
  const left = terms.within === undefined ? undefined : countdown(terms.within);
  let taken = 0;
  let validator: string | undefined;
  for (let breaks = 0; ; breaks++) {
    const from = taken;
    // If the server sends the whole file again, the client skips this number of bytes.
    let known = 0;
    let isFirst = true;
    const sink = async (chunk: Uint8Array, head: AnswerHead) => {
      if (isFirst) {
        known = beginsAt(url, head, from);
        validator ??= strongValidator(head);
        isFirst = false;
      }
      const skipped = Math.min(known, chunk.length);
      known -= skipped;
      const rest = chunk.subarray(skipped);
      taken += rest.length;
      if (rest.length > 0) await take(rest);
    };
    const ask = () => {
      const headers = from === 0 ? undefined : rangeFrom(from, validator);
      return transport.get(url, { ...terms, headers, within: left && Math.max(1, left()), sink });
    };
    try {
      return await patiently(Math.min(patience, left?.() ?? patience), ask);
    } catch (error) {
      const isBroken = error instanceof FeedkeyError && broken.has(error.details.reason);
      if (!isBroken || taken === from || breaks === mostBreaks || left?.() === 0) throw error;
    }
  }
}

function rangeFrom(from: number, validator: string | undefined): Record<string, string> {
  return { range: `bytes=${from}-`, ...(validator === undefined ? {} : { "if-range": validator }) };
}

/** Returns the answer's entity tag unless it is weak, because two different files can have the same weak tag. */
function strongValidator({ headers }: AnswerHead): string | undefined {
  return headers.etag?.startsWith('"') === true ? headers.etag : undefined;
}

/**
 * Returns how many bytes at the start of an answer the client already has.
 * @throws FeedkeyError `unavailable` (`protocol`) if the answer is another part of the file than the requested part
 */
function beginsAt(url: URL, head: AnswerHead, from: number): number {
  if (head.status !== 206) return from;
  const range = head.headers["content-range"] ?? "";
  if (range.startsWith(`bytes ${from}-`)) return 0;
  throw unavailable(url, "protocol", "the server sent a different part of the file from the one requested", {
    status: head.status,
    hint: "the server or a proxy in front of it is broken; use another server",
  });
}
