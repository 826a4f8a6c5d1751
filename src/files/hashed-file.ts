/**
 * Reads files that may not fit into memory and that another user may have replaced, for example by a pipe. So it never waits
 * for a file, and reads only up to a size limit.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import type { Content } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { type NotPlain, openPlain, withPlainFile } from "./plain-file.ts";

const piece = 1024 * 1024;

export class HashedFile implements Content {
  readonly length: number;
  readonly #path: string;
  readonly #sha256: Hash;

  private constructor(path: string, length: number, sha256: Hash) {
    this.#path = path;
    this.length = length;
    this.#sha256 = sha256;
  }

  /**
   * Hashes a whole file.
   * @param most the size limit in bytes; for a larger file, `read` returns a problem without reading the file
   * @throws the system's error, such as ENOENT
   */
  static read(path: string, most: number): HashedFile | NotPlain {
    return withPlainFile(path, most, (descriptor, { size }) => {
      const sha256 = createHash("sha256");
      let length = 0;
      for (const bytes of piecesOf(descriptor, size + 1)) {
        sha256.update(bytes);
        length += bytes.length;
      }
      return length > size ? undefined : new HashedFile(path, length, sha256);
    });
  }

  /** The hash of the whole file. */
  get sha256(): Hash {
    return this.#sha256.copy();
  }

  /**
   * Yields the file's bytes in pieces.
   * @throws FeedkeyError `locked` if the file has changed since `read`, possibly only after the last piece
   */
  *pieces(): Generator<Buffer, void> {
    const descriptor = openPlain(this.#path);
    if (typeof descriptor !== "number") throw this.#changed();
    const again = createHash("sha256");
    try {
      for (const bytes of piecesOf(descriptor, this.length)) {
        again.update(bytes);
        yield bytes;
      }
    } finally {
      closeSync(descriptor);
    }
    if (!again.digest().equals(this.sha256.digest())) throw this.#changed();
  }

  #changed(): FeedkeyError {
    return new FeedkeyError("locked", `${escapeText(this.#path)} changed while it was being read`, {
      details: { path: this.#path },
      hint: "run the command again once the program that writes the file has ended",
    });
  }
}

function* piecesOf(descriptor: number, most: number): Generator<Buffer, void> {
  const bytes = Buffer.allocUnsafeSlow(Math.min(piece, most));
  for (let at = 0; at < most; ) {
    const count = readSync(descriptor, bytes, 0, Math.min(bytes.length, most - at), at);
    if (count === 0) return;
    yield bytes.subarray(0, count);
    at += count;
  }
}
