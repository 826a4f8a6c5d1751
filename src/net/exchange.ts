/** Sends one HTTP request and reads the answer. Converts between the library's types and feedkey's types. */
import type { Dispatcher } from "undici";
import { BodyTaker } from "./body.ts";
import type { Deadline } from "./deadline.ts";
import { networkFailure, plainUrl, shown, unavailable } from "./failure.ts";
import type { NetLimits } from "./limits.ts";
import type { AnswerHead, GetOptions, HttpAnswer, Question } from "./types.ts";

type Body = Dispatcher.ResponseData["body"];

/** An answer whose body feedkey has not read yet. The caller must read the body with `readBody` or drop it with `dropBody`. */
export interface Arriving {
  readonly head: AnswerHead;
  readonly body: Body;
}

function lowerCase(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const plain: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

/** Returns the header `Authorization` for the user name and password in a URL, as curl does. */
function credentials(url: URL): Record<string, string> {
  if (url.username === "" && url.password === "") return {};
  const plain = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString("base64")}` };
}

/**
 * Sends the request and waits for the head of the answer.
 * @throws FeedkeyError `unavailable` if no head arrives
 */
export async function ask(
  dispatcher: Dispatcher,
  question: Question,
  deadline: Deadline,
  limits: NetLimits,
): Promise<Arriving> {
  const { url } = question;
  deadline.awaitHead(question.headWithin ?? limits.connect + limits.headers);
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: question.method,
      headers: { "user-agent": "feedkey", "accept-encoding": "identity", ...credentials(url), ...question.headers },
      body: question.body ?? null,
      signal: deadline.signal,
    });
    // Without this handler, an error in a body that nobody reads would end the process.
    answer.body.on("error", () => {});
    const head = { status: answer.statusCode, headers: lowerCase(answer.headers), url: plainUrl(url) };
    return { head, body: answer.body };
  } catch (error) {
    throw networkFailure(url, error);
  } finally {
    deadline.headArrived();
  }
}

/** Drops the body of an answer, and closes the connection. */
export function dropBody(arriving: Arriving): void {
  arriving.body.destroy();
}

/**
 * Reads the whole body of an answer. For an error status, reads only the beginning, which may explain the error.
 * @throws FeedkeyError `unavailable`, and every error of the sink
 */
export async function readBody(
  url: URL,
  arriving: Arriving,
  options: GetOptions,
  limits: NetLimits,
): Promise<HttpAnswer> {
  const { head } = arriving;
  try {
    const encoding = head.headers["content-encoding"] ?? "identity";
    // Some servers send this header for a stored .gz file, and curl, apt and opkg ignore the header. So does feedkey for
    // archives: the signature shows whether the bytes are right.
    const isStored = options.policy === "archive" && /^(x-)?gzip$/i.test(encoding.trim());
    if (!isStored && encoding.trim().toLowerCase() !== "identity") {
      throw unavailable(
        url,
        "protocol",
        `the server encoded the answer as "${shown(encoding)}", which was not requested`,
        {
          hint: "the server must send files as they are; ask the server's operator to switch Content-Encoding off for this folder",
        },
      );
    }
    if (head.status !== 200 && head.status !== 206) return { ...head, body: await beginning(url, arriving, limits) };
    const taker = new BodyTaker(url, head, options);
    for await (const chunk of pieces(url, arriving.body, options.policy === "archive" ? limits : undefined)) {
      await taker.take(chunk);
      if (taker.isCut) return { ...head, body: taker.body(), isCut: true };
    }
    return { ...head, body: taker.body() };
  } finally {
    dropBody(arriving);
  }
}

async function beginning(url: URL, arriving: Arriving, limits: NetLimits): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of pieces(url, arriving.body, limits)) {
    kept.push(chunk);
    length += chunk.length;
    if (length >= limits.errorBody) break;
  }
  return new Uint8Array(Buffer.concat(kept).subarray(0, limits.errorBody));
}

/**
 * Yields the pieces of a body as they arrive.
 * @param rate the limits with the slowest acceptable rate; undefined to accept any rate
 */
async function* pieces(url: URL, body: Body, rate: NetLimits | undefined): AsyncGenerator<Uint8Array> {
  const source: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  let waited = 0;
  let came = 0;
  for (;;) {
    const before = performance.now();
    const next = await source.next().catch((error: unknown) => {
      throw networkFailure(url, error);
    });
    if (next.done === true) return;
    // Only the time that feedkey waits for the server counts, because a slow local disk is not the server's fault.
    waited += performance.now() - before;
    came += next.value.length;
    if (rate !== undefined && waited >= rate.slowWindow) {
      if (came < (rate.slowestRate * waited) / 1000) throw tooSlow(url, came, waited, rate);
      waited = 0;
      came = 0;
    }
    yield next.value;
  }
}

function tooSlow(url: URL, came: number, waited: number, limits: NetLimits) {
  const found = `expected at least ${limits.slowestRate} bytes a second, found ${Math.round((came * 1000) / waited)}`;
  return unavailable(url, "timeout", found, { hint: "the server or the network is too slow; use another mirror" });
}
