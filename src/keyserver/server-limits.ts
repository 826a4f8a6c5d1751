/** The limits that the embedded server sets for its clients. Times are in milliseconds, sizes in bytes. */
export const serverLimits = {
  /** Time limit for receiving the head of a request. */
  head: 10_000,
  /** Time limit for receiving the whole request, including its body. */
  request: 30_000,
  /** Time limit for a connection without traffic. This limit also ends a download whose client has stopped reading. */
  idle: 30_000,
  connections: 256,
  /** Size limit for an uploaded form. */
  body: 2 * 1024 * 1024,
  /** Maximum number of certificates in one upload. The server ignores further certificates. */
  keysPerUpload: 100,
  /** Size limit for a stored certificate, including all merged uploads. */
  key: 1024 * 1024,
  keys: 10_000,
  /** Size limit for all stored certificates together, because the server holds them in memory. */
  allKeys: 256 * 1024 * 1024,
  /** Maximum number of certificates in one answer. */
  keysPerAnswer: 100,
  /** Size limit for the certificates in one answer, in binary form. Clients read 4 MiB, including the armor. */
  answer: 2 * 1024 * 1024,
};

export type ServerLimits = Readonly<Record<keyof typeof serverLimits, number>>;
