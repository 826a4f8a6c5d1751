/** The embedded server's limits for its clients: times in milliseconds, sizes in bytes. */
export const serverLimits = {
  /** Time limit for the head of a request. */
  head: 10_000,
  /** Time limit for the whole request, including its body. */
  request: 30_000,
  /** Time limit for a connection without traffic, even if its client has only stopped reading. */
  idle: 30_000,
  connections: 256,
  /** Size limit for an uploaded form. */
  body: 2 * 1024 * 1024,
  /** Number of certificates in one upload. */
  keysPerUpload: 100,
  /** Size limit for a stored certificate, also after a merge. */
  key: 1024 * 1024,
  keys: 10_000,
  /** Size limit for all stored certificates together, which are in memory. */
  allKeys: 256 * 1024 * 1024,
  /** Number of certificates in one answer. */
  keysPerAnswer: 100,
  /** Size limit for the certificates in one answer, in binary form. Clients read 4 MiB, including the armor. */
  answer: 2 * 1024 * 1024,
};

export type ServerLimits = Readonly<Record<keyof typeof serverLimits, number>>;
