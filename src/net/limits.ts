/** Limits on time, size and number of requests, for every server. */
import type { Duration } from "../time.ts";

export interface NetLimits {
  /** To a connection, TLS handshake included. */
  readonly connect: Duration;
  /** From the connection to the whole of the answer's head. */
  readonly headers: Duration;
  /** Between two pieces of a body. */
  readonly idle: Duration;
  /** Everything about one question to a key server, retries included. */
  readonly keyserverTotal: Duration;
  /** After this a key server is asked about no further keys, however many there are. */
  readonly keyserverRun: Duration;
  /** A file whose size can be expected has this long... */
  readonly fileBase: Duration;
  /** ...and the time that its bytes take at this rate, in bytes a second; see {@link timeFor}. */
  readonly fileRate: number;
  /** Packages have no time limit, since they may be large, but a mean rate over this time... */
  readonly slowWindow: Duration;
  /** ...of at least this many bytes a second, so that a few bytes now and then do not keep it waiting forever. */
  readonly slowestRate: number;
  /** Redirects followed in a row, where any are. */
  readonly redirects: number;
  /** Bytes read of a body that only explains an error. */
  readonly errorBody: number;
}

export const netLimits: NetLimits = {
  connect: 5_000,
  headers: 15_000,
  idle: 15_000,
  keyserverTotal: 15_000,
  keyserverRun: 60_000,
  fileBase: 60_000,
  fileRate: 32 * 1024,
  slowWindow: 30_000,
  slowestRate: 1024,
  redirects: 5,
  errorBody: 64 * 1024,
};

/** How long a file of about that many bytes may take, with its signatures: a slow server must not keep us waiting for hours. */
export function timeFor(bytes: number, { fileBase, fileRate }: NetLimits): Duration {
  return Math.ceil(fileBase + (bytes * 1000) / fileRate);
}

/** Limits for the key server protocols. */
export const keyserverLimits = {
  /** Bytes of one answer. */
  answer: 4 * 1024 * 1024,
  /** How often a server that answers with Retry-After is asked again. */
  retries: 2,
  /** Requests to one server at the same time. */
  atOnce: 6,
  /** Failures in a row to connect after which a server is not asked further keys in this round. */
  failures: 2,
} as const;
