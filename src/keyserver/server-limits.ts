/** The embedded server's limits for its clients. Times in milliseconds, sizes in bytes. */
import type { Duration } from "../time.ts";

export interface ServerLimits {
  /** The time for a request's head. */
  readonly head: Duration;
  /** The time for the whole request, with its body. */
  readonly request: Duration;
  /** The time for a connection without traffic, also if its client has stopped reading. */
  readonly idle: Duration;
  readonly connections: number;
  /** An uploaded form. */
  readonly body: number;
  /** Certificates in one upload. */
  readonly keysPerUpload: number;
  /** A stored certificate, also after merging. */
  readonly key: number;
  readonly keys: number;
  /** All stored certificates together: they are in memory. */
  readonly allKeys: number;
  /** Certificates in one answer. */
  readonly keysPerAnswer: number;
  /** Bytes of certificates in one answer: clients read 4 MiB, with its armor. */
  readonly answer: number;
}

export const serverLimits: ServerLimits = {
  head: 10_000,
  request: 30_000,
  idle: 30_000,
  connections: 256,
  body: 2 * 1024 * 1024,
  keysPerUpload: 100,
  key: 1024 * 1024,
  keys: 10_000,
  allKeys: 256 * 1024 * 1024,
  keysPerAnswer: 100,
  answer: 2 * 1024 * 1024,
};
