/** Limits on time, size and number of requests, for every server: milliseconds and bytes. */
import type { Duration } from "../time.ts";

export const netLimits = {
  /** To a connection, TLS handshake included. */
  connect: 5_000,
  /** From the connection to the whole of the answer's head. */
  headers: 15_000,
  /** Between two pieces of a body. */
  idle: 15_000,
  /** Everything about one question to a key server, retries included. */
  keyserverTotal: 15_000,
  /** After this a key server is asked about no further keys, however many there are. */
  keyserverRun: 60_000,
  /** A file whose size can be expected has this long... */
  fileBase: 60_000,
  /** ...and the time that its bytes take at this rate, in bytes a second; see {@link timeFor}. */
  fileRate: 32 * 1024,
  /** Packages have no time limit, since they may be large, but a mean rate over this time... */
  slowWindow: 30_000,
  /** ...of at least this many bytes a second, so that a few bytes now and then do not keep it waiting forever. */
  slowestRate: 1024,
  /** Redirects followed in a row, where any are. */
  redirects: 5,
  /** Bytes read of a body that only explains an error. */
  errorBody: 64 * 1024,
};

export type NetLimits = Readonly<Record<keyof typeof netLimits, number>>;

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
