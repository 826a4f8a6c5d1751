/** Limits on time, size and number of requests, for every server, in milliseconds and bytes. */
import type { Duration } from "../time.ts";

export const netLimits = {
  /** Time to make a connection, including the TLS handshake. */
  connect: 5_000,
  /** Time from the connection to the complete head of the answer. */
  headers: 15_000,
  /** Time between two pieces of a body. */
  idle: 15_000,
  /** Time for one question to a key server, including retries. */
  keyserverTotal: 15_000,
  /** After this time, feedkey asks a key server about no further keys. */
  keyserverRun: 60_000,
  /** The base time for a file of roughly known size. To this, `fileRate` adds the time for the file's bytes. */
  fileBase: 60_000,
  /** The rate at which the file's bytes are expected, in bytes per second; see {@link timeFor}. */
  fileRate: 32 * 1024,
  /** Packages have no time limit, because they may be large. Instead, the mean rate over this time is measured. */
  slowWindow: 30_000,
  /** The mean rate must reach this many bytes per second, so that a trickle of bytes can't keep the client waiting forever. */
  slowestRate: 1024,
  /** Number of redirects that feedkey follows in succession, if redirects are allowed. */
  redirects: 5,
  /** Bytes that feedkey reads from a body that only explains an error. */
  errorBody: 64 * 1024,
};

export type NetLimits = Readonly<Record<keyof typeof netLimits, number>>;

/**
 * Returns the time limit for a file of about this many bytes, with its signatures, so that a slow server can't delay a run for
 * hours.
 */
export function timeFor(bytes: number, { fileBase, fileRate }: NetLimits): Duration {
  return Math.ceil(fileBase + (bytes * 1000) / fileRate);
}

/** Limits for the key server protocols. */
export const keyserverLimits = {
  /** Size limit for one answer, in bytes. */
  answer: 4 * 1024 * 1024,
  /** How often feedkey repeats a request to a server that answers with Retry-After. */
  retries: 2,
  /** Simultaneous requests to one server. */
  atOnce: 6,
  /** After this many failed connections in succession, feedkey asks a server about no further keys in this round. */
  failures: 2,
} as const;
