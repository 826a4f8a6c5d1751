/** The interface through which the rest of feedkey sends requests to servers and reads local archives. */
import type { Readable } from "node:stream";
import type { Duration } from "../time.ts";
import type { NetLimits } from "./limits.ts";

/**
 * What feedkey allows a server. `keyserver`: no redirects, and a short time limit for the whole request. `archive`: redirects,
 * and any time at an acceptable rate.
 */
export type Policy = "keyserver" | "archive";

/** Where an archive's redirects may lead: to any host, or to the same scheme, host and port. */
export type Redirects = "any" | "same-origin";

/** A request to a server. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable | undefined;
  /** The time limit until the head of the answer, instead of the usual limit, for a request with a long body. */
  readonly headWithin?: Duration;
}

export interface AnswerHead {
  /** The HTTP status; for files, 200, 403 or 404. */
  readonly status: number;
  /** The headers, with names in lower case. The values of a repeated header are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The URL that the answer came from, after redirects, without user name and password. */
  readonly url: string;
}

export interface HttpAnswer extends AnswerHead {
  /** The body; empty if the pieces went to a sink. If the status is not 200 or 206, only the beginning of the body. */
  readonly body: Uint8Array;
  /** Whether the body is only the beginning of a longer body (see `beginning`). */
  readonly isCut?: boolean;
}

export interface GetOptions {
  /** The size limit for the body. A longer body is an error (`too_large`). */
  readonly maxBytes: number;
  /**
   * Whether to return only the beginning of a longer body; a body that is more than 16 times too long is still an error. Not
   * allowed with a sink or for `file:`.
   */
  readonly beginning?: boolean;
  readonly policy: Policy;
  /**
   * The folder that must contain the file of a `file:` URL, also after symbolic links are followed. Without a root, the
   * transport refuses `file:` URLs.
   */
  readonly root?: string | undefined;
  /** The total time limit, instead of the policy's limit. */
  readonly within?: Duration | undefined;
  /** Further request headers. The transport accepts a partial answer (206) only if the headers contain `range`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Receives the number of bytes that have arrived so far, and the total number if the server announced it. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  /**
   * Receives the body of a 200 or 206 answer piece by piece. The caller gets an error of the sink unchanged. An answer may fail
   * after the sink has received pieces: the body is complete only when `get` returns the answer.
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
  /** The size limit for the body of the answer. */
  readonly maxBytes: number;
  /** The total time limit. The caller chooses it, because a longer body needs more time. */
  readonly within: Duration;
}

export interface Transport {
  /** Whether this transport refuses network requests. */
  readonly offline: boolean;
  readonly limits: NetLimits;
  /**
   * Fetches an `https:`, `http:` or `file:` URL. Returns the answer whatever its status is, except for redirects.
   * @throws FeedkeyError `unavailable` with `details.reason` (see `FailureReason`); `bad_path` for a `file:` URL that leads out
   *   of its root
   */
  get(url: URL, options: GetOptions): Promise<HttpAnswer>;
  /** Sends a POST request under the policy `keyserver`. Throws as `get` does. */
  post(url: URL, body: Uint8Array, contentType: string, options: PostOptions): Promise<HttpAnswer>;
  /** Sends a request to an object store, for which the keeper has an access key. Follows no redirects. Throws as `get` does. */
  send(method: Question["method"], url: URL, options: SendOptions): Promise<HttpAnswer>;
  /** Aborts the current requests and closes all connections. */
  close(): Promise<void>;
}
