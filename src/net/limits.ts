/** Limits on time, size and number of requests, for every server: milliseconds and bytes. */
import type { Duration } from "../time.ts";

export const netLimits = {
  /** To make a connection, including the TLS handshake. */
  connect: 5_000,
  /** From the connection to the complete head of the answer. */
  headers: 15_000,
  /** Between two pieces of a body. */
  idle: 15_000,
  /** For one question to a key server, including retries. */
  keyserverTotal: 15_000,
  /** After this time, a key server is asked about no further keys. */
  keyserverRun: 60_000,
  /** The base time for a file of roughly known size... */
  fileBase: 60_000,
  /** ...plus the time for its bytes at this rate, in bytes per second; see {@link timeFor}. */
  fileRate: 32 * 1024,
  /** Packages have no time limit, since they may be large, but a mean rate over this time... */
  slowWindow: 30_000,
  /** ...of at least this many bytes per second, so that a trickle of bytes can't keep the client waiting forever. */
  slowestRate: 1024,
  /** Number of redirects to follow in a row, if redirects are allowed. */
  redirects: 5,
  /** Bytes to read from a body that only explains an error. */
  errorBody: 64 * 1024,
};

export type NetLimits = Readonly<Record<keyof typeof netLimits, number>>;

/** The time limit for a file of about that many bytes, with its signatures, so that a slow server can't delay a run for hours. */
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
