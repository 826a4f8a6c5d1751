/** A file's SHA-256 and size. */

import { createHash } from "node:crypto";
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
