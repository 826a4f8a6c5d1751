/**
 * A file that is read while the program does something else, and hashed as it comes. The threads that Node reads with fill
 * the memory, which takes longer than hashing: 50 MB in 200 ms instead of 270 (`docs/performance.md`).
 */
import { createHash } from "node:crypto";
import { close, constants, fstatSync, openSync, read, statSync } from "node:fs";
import type { Hashed } from "./file-digest.ts";

/** Bytes read at once: several threads share them, and the first ones are there soon. */
const piece = 1024 * 1024;

export class ReadAhead {
  readonly path: string;
  /** The file's bytes; undefined where it has to be read otherwise. */
  readonly found: Promise<Hashed | undefined>;

  /**
   * Begins to read. It gives up at whatever is unusual: then the file is to be read by whoever can say what is wrong.
   * @param limit bytes that it may have
   */
  constructor(path: string, limit: number) {
    this.path = path;
    this.found = readFound(path, limit).catch(() => undefined);
  }
}

async function readFound(path: string, limit: number): Promise<Hashed | undefined> {
  // Looked at first: a pipe that is opened and closed again loses what is written to it.
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
      // It is being cut off this very moment.
      if ((await count) !== part.length) return undefined;
      sha256.update(part);
    }
    return { bytes, sha256 };
  } finally {
    // The file stays open as long as anything reads from it.
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
