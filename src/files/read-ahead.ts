/** Reads a large file with Node's own threads, and hashes the first bytes while the threads read the rest (`docs/performance.md`). */
import { createHash } from "node:crypto";
import { close, constants, fstatSync, openSync, read, statSync } from "node:fs";
import type { Hashed } from "./file-digest.ts";

/** Number of bytes that a thread reads in one step. It is small, so that several threads share the work and hashing starts early. */
const piece = 1024 * 1024;

export class ReadAhead {
  readonly path: string;
  /** The file's bytes and hash; undefined if the caller must read the file in another way. */
  readonly found: Promise<Hashed | undefined>;

  /**
   * Begins to read a file. After any failure, gives up: the caller then reads the file in another way, and sees the error.
   * @param limit size limit in bytes
   */
  constructor(path: string, limit: number) {
    this.path = path;
    this.found = readHashedFile(path, limit).catch(() => undefined);
  }
}

/**
 * Reads and hashes a regular file.
 * @param limit size limit in bytes
 * @returns undefined if the file is not a regular file, is larger than the limit, or becomes shorter meanwhile
 * @throws the system's error, such as ENOENT
 */
export async function readHashedFile(path: string, limit = Number.POSITIVE_INFINITY): Promise<Hashed | undefined> {
  // This check comes before opening: if feedkey opened and closed a pipe, the data in the pipe would be lost.
  if (!statSync(path).isFile()) return undefined;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(descriptor);
    return status.isFile() && status.size <= limit ? await readPieces(descriptor, status.size) : undefined;
  } finally {
    close(descriptor, () => undefined);
  }
}

async function readPieces(descriptor: number, size: number): Promise<Hashed | undefined> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const counts: Promise<number>[] = [];
  for (let at = 0; at < size; at += piece) counts.push(readInto(bytes, descriptor, at));
  const results = Promise.allSettled(counts);
  const sha256 = createHash("sha256");
  try {
    for (const [place, count] of counts.entries()) {
      const part = bytes.subarray(place * piece, (place + 1) * piece);
      // The file has become shorter.
      if ((await count) !== part.length) return undefined;
      sha256.update(part);
    }
    return { bytes, sha256 };
  } finally {
    // The file must stay open until all reads have ended.
    await results;
  }
}

function readInto(bytes: Buffer, descriptor: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, at, Math.min(piece, bytes.length - at), at, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}
