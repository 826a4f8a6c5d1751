/** The limits for requests to every server. Times are in milliseconds, sizes in bytes. */
import type { Duration } from "../time.ts";

export const netLimits = {
  /** Time limit for making a connection, including the TLS handshake. */
  connect: 5_000,
  /** Time limit from the connection to the complete head of the answer. */
  headers: 15_000,
  /** Time limit between two pieces of a body. */
  idle: 15_000,
  /** Time limit for one request to a key server, including retries. */
  keyserverTotal: 15_000,
  /** Time after which feedkey sends no further requests to a key server in this run. */
  keyserverRun: 60_000,
  /** The base of the time limit for a file of roughly known size; see {@link timeFor}. */
  fileBase: 60_000,
  /** The rate in bytes per second that determines how much longer the time limit for a file becomes with each byte. */
  fileRate: 32 * 1024,
  /**
   * The time over which feedkey measures the mean rate of a download. A package from the last server has no time limit, only a
   * slowest rate.
   */
  slowWindow: 30_000,
  /**
   * The slowest acceptable mean rate in bytes per second, so that a server that sends single bytes can't keep the client
   * waiting for ever.
   */
  slowestRate: 1024,
  /** Maximum number of redirects that feedkey follows for one request. */
  redirects: 5,
  /** Maximum number of bytes that feedkey reads from the body of an error answer. */
  errorBody: 64 * 1024,
};

export type NetLimits = Readonly<Record<keyof typeof netLimits, number>>;

/**
 * Returns the time limit in milliseconds for downloading a file of about `bytes` bytes with its signatures. The limit keeps a
 * slow server from delaying a run for hours.
 */
export function timeFor(bytes: number, { fileBase, fileRate }: NetLimits): Duration {
  return Math.ceil(fileBase + (bytes * 1000) / fileRate);
}

/** The limits for requests to key servers and web key directories. */
export const keyserverLimits = {
  /** Size limit for one answer, in bytes. */
  answer: 4 * 1024 * 1024,
  /** How often feedkey repeats a request if the server answers with Retry-After. */
  retries: 2,
  /** Maximum number of simultaneous requests to one server. */
  atOnce: 6,
  /** After this number of failed connections in a row, feedkey sends a server no further requests in this round. */
  failures: 2,
} as const;
