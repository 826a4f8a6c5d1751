/** The embedded server's limits for its clients. Times in milliseconds, sizes in bytes. */
export const serverLimits = {
  /** The time for a request's head. */
  head: 10_000,
  /** The time for the whole request, with its body. */
  request: 30_000,
  /** The time for a connection without traffic, also if its client has stopped reading. */
  idle: 30_000,
  connections: 256,
  /** An uploaded form. */
  body: 2 * 1024 * 1024,
  /** Certificates in one upload. */
  keysPerUpload: 100,
  /** A stored certificate, also after merging. */
  key: 1024 * 1024,
  keys: 10_000,
  /** All stored certificates together: they are in memory. */
  allKeys: 256 * 1024 * 1024,
  /** Certificates in one answer. */
  keysPerAnswer: 100,
  /** Bytes of certificates in one answer: clients read 4 MiB, with its armor. */
  answer: 2 * 1024 * 1024,
};

export type ServerLimits = Readonly<Record<keyof typeof serverLimits, number>>;
