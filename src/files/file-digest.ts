/** A file's SHA-256 and size. */

import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { systemCode } from "../error.ts";
import { readError } from "./system-error.ts";

export interface FileDigest {
  /** The file's SHA-256, lower-case hex. */
  readonly sha256: string;
  /** The file's size in bytes. */
  readonly size: number;
}

// Synchronous reads are fastest, in pieces that stay in the processor's cache until they are hashed. Each thread has its own
// buffer.
const piece = Buffer.allocUnsafeSlow(128 * 1024);

/**
 * Hashes a regular file. Follows no symbolic link at the path, and does not wait for a pipe.
 * @returns undefined if the file is missing or is not a regular file
 * @throws FeedkeyError `not_found` if the file can't be read
 */
export function digestFile(path: string): FileDigest | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return fstatSync(descriptor).isFile() ? digestOpen(descriptor) : undefined;
  } catch (cause) {
    const code = systemCode(cause);
    // The file is missing or is a symbolic link or socket, or a folder in its path is a file.
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR" || code === "ENXIO") return undefined;
    if (code === undefined) throw cause;
    throw readError(cause, path, { hint: "check the path, and that you may read the file" });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The bytes of a file, and a hash object that has hashed these bytes. */
export interface Hashed {
  readonly bytes: Buffer;
  readonly sha256: Hash;
}

/**
 * Reads an open file and hashes each piece while the piece is in the processor's cache.
 * @param size the number of bytes to read; leaves out bytes that another program appends meanwhile
 */
export function readHashed(descriptor: number, size: number): Hashed {
  const sha256 = createHash("sha256");
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(descriptor, bytes, filled, Math.min(piece.length, size - filled), null);
    if (count === 0) break;
    sha256.update(bytes.subarray(filled, filled + count));
    filled += count;
  }
  return { bytes: bytes.subarray(0, filled), sha256 };
}

function digestOpen(descriptor: number): FileDigest {
  const hash = createHash("sha256");
  let size = 0;
  for (;;) {
    const count = readSync(descriptor, piece, 0, piece.length, null);
    if (count === 0) return { sha256: hash.digest("hex"), size };
    size += count;
    hash.update(count === piece.length ? piece : piece.subarray(0, count));
  }
}
