/** The interface through which other code reaches servers and local archives. */
import type { Readable } from "node:stream";
import type { Duration } from "../time.ts";
import type { NetLimits } from "./limits.ts";

/**
 * What a server may do. `keyserver`: no redirects, and one short deadline for the whole fetch. `archive`: redirects are
 * allowed, and the fetch may take any time at an acceptable rate.
 */
export type Policy = "keyserver" | "archive";

/** Where an archive's redirects may lead: to any host, or to the same scheme, host and port. */
export type Redirects = "any" | "same-origin";

/** What feedkey asks a server. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable | undefined;
  /** Time limit until the head of the answer, if a long body is sent before it. */
  readonly headWithin?: Duration;
}

export interface AnswerHead {
  /** The HTTP status; for files, 200, 403 or 404. */
  readonly status: number;
  /** Names are in lower case; the values of repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The URL that the answer came from, after redirects, without user name and password. */
  readonly url: string;
}

export interface HttpAnswer extends AnswerHead {
  /** The body; empty if a sink took it. For answers other than 200 and 206, only the beginning of the body. */
  readonly body: Uint8Array;
  /** Whether the body is only the beginning of a longer body (see `beginning`). */
  readonly isCut?: boolean;
}

export interface GetOptions {
  /** Size limit for the body; a longer body is an error (`too_large`), thrown before or while the body is read. */
  readonly maxBytes: number;
  /**
   * Whether to cut a longer body; a body that is many times too long is still an error. Not allowed with a sink or for
   * `file:`.
   */
  readonly beginning?: boolean;
  readonly policy: Policy;
  /** For `file:` URLs: the folder that must really contain the file. Without a root, `file:` URLs are refused. */
  readonly root?: string | undefined;
  /** Total time limit, instead of the policy's own. */
  readonly within?: Duration | undefined;
  /** Further request headers. A partial answer (206) is accepted only if `range` is among them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called with the number of bytes received so far and the announced total. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  /**
   * Takes the body of a 200 or 206 answer piece by piece, one piece at a time. Errors from the sink reach the caller unchanged.
   * The sink may get pieces of an answer that then fails: a body is complete only if the answer is returned.
   */
  readonly sink?: (chunk: Uint8Array, head: AnswerHead) => Promise<void> | void;
}

export interface PostOptions {
  readonly maxBytes: number;
  readonly within?: Duration;
}

export interface SendOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** The body to send. For a stream, the headers must give the length. */
  readonly body?: Uint8Array | Readable | undefined;
  /** Size limit for the body of the answer. */
  readonly maxBytes: number;
  /** Total time limit: a long body needs more time. */
  readonly within: Duration;
}

export interface Transport {
  /** Whether this transport refuses network requests. */
  readonly offline: boolean;
  readonly limits: NetLimits;
  /**
   * Fetches an `https:`, `http:` or `file:` URL. Any status except a redirect is returned as an answer.
   * @throws FeedkeyError `unavailable` with `details.reason` (see `FailureReason`); `bad_path` for a `file:` URL that leads
   * out of its root
   */
  get(url: URL, options: GetOptions): Promise<HttpAnswer>;
  /** Sends a body under the policy `keyserver`. Throws as `get` does. */
  post(url: URL, body: Uint8Array, contentType: string, options: PostOptions): Promise<HttpAnswer>;
  /** Sends any request to a server for which the keeper has an access key. Follows no redirects. Throws as `get` does. */
  send(method: Question["method"], url: URL, options: SendOptions): Promise<HttpAnswer>;
  /** Aborts requests in progress and closes all connections. */
  close(): Promise<void>;
}
