/** The interface through which other code reaches servers and local archives. */
import type { Readable } from "node:stream";
import type { Duration } from "../time.ts";
import type { NetLimits } from "./limits.ts";

/**
 * What a server may do. `keyserver`: no redirects, and everything within one short deadline. `archive`: redirects, and any time
 * at an acceptable rate.
 */
export type Policy = "keyserver" | "archive";

/** Where an archive's redirects may lead: to any host, or to the same scheme, host and port. */
export type Redirects = "any" | "same-origin";

/** What a server is asked. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable | undefined;
  /** How long until the head of the answer, where a long body comes before it. */
  readonly headWithin?: Duration;
}

export interface AnswerHead {
  /** HTTP's status; files have 200, 403 and 404. */
  readonly status: number;
  /** Names in lower case; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the answer came from, after redirects; without user name and password. */
  readonly url: string;
}

export interface HttpAnswer extends AnswerHead {
  /** Empty if a sink took it. For answers other than 200 and 206 only the beginning. */
  readonly body: Uint8Array;
  /** The body is the beginning of a longer one (`beginning`). */
  readonly isCut?: boolean;
}

export interface GetOptions {
  /** A longer body is an error (`too_large`), found before or while it is read. */
  readonly maxBytes: number;
  /** A longer body is cut, and is an error only if it is many times too long. Not with a sink, nor for `file:`. */
  readonly beginning?: boolean;
  readonly policy: Policy;
  /** `file:` URLs: the folder that must really contain the file. Without it they are refused. */
  readonly root?: string | undefined;
  /** Total time instead of the policy's. */
  readonly within?: Duration | undefined;
  /** Further request headers. Only with a `range` among them is a partial answer (206) accepted. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called with the bytes received so far and the announced total. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  /**
   * Takes the body of a 200 or 206 piece by piece, one at a time. Its errors reach the caller unchanged. It may get pieces of an
   * answer that then fails: only a returned answer is complete.
   */
  readonly sink?: (chunk: Uint8Array, head: AnswerHead) => Promise<void> | void;
}

export interface PostOptions {
  readonly maxBytes: number;
  readonly within?: Duration;
}

export interface SendOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Of a stream the headers say the length. */
  readonly body?: Uint8Array | Readable | undefined;
  /** Of the answer. */
  readonly maxBytes: number;
  /** Total time: a long body needs more of it. */
  readonly within: Duration;
}

export interface Transport {
  /** Whether it refuses network requests. */
  readonly offline: boolean;
  readonly limits: NetLimits;
  /**
   * Fetches `https:`, `http:` or `file:`. Any status but a redirect is an answer.
   * @throws FeedkeyError `unavailable` with `details.reason` (see `FailureReason`); `bad_path` for a `file:` URL that leads
   * out of its root
   */
  get(url: URL, options: GetOptions): Promise<HttpAnswer>;
  /** Sends a body under the policy `keyserver`. Throws as `get` does. */
  post(url: URL, body: Uint8Array, contentType: string, options: PostOptions): Promise<HttpAnswer>;
  /** Any request to a server that its keeper has a key for: no redirects are followed. Throws as `get` does. */
  send(method: Question["method"], url: URL, options: SendOptions): Promise<HttpAnswer>;
  /** Ends requests under way and closes all connections. */
  close(): Promise<void>;
}
