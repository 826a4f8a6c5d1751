/**
 * Reads files that need not fit into memory and that another user may have replaced, for example by a pipe. So it never waits
 * for a file, and reads only up to a size limit.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, readSync } from "node:fs";
import type { Content } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { kindOf, type NotPlain, openPlain, withPlainFile } from "./plain-file.ts";

/** Number of bytes that are read at once: a piece stays in the processor's cache while it is hashed and parsed. */
const pieceBytes = 128 * 1024;

/** In place of a descriptor: the only piece of the file stays in memory. */
const inMemory = -1;

/** Closes the descriptors of held files that nobody uses any more. */
const unused = new FinalizationRegistry(closeSync);

/**
 * A hashed file. Whenever a piece of the file is read again, its digest is compared before the caller gets the piece, so the
 * caller always gets the bytes that were hashed.
 */
export class HashedFile implements Content {
  readonly length: number;
  readonly #path: string;
  readonly #sha256 = createHash("sha256");
  /** The SHA-256 digests of the pieces. */
  readonly #digests: Buffer[] = [];
  /** The descriptor of a held file. */
  #held: number | undefined;
  readonly #memory: Buffer;
  /** The number of the piece in the memory; -1 for none. */
  #present = -1;

  /** @param most the number of bytes to read, unless the file is shorter */
  private constructor(path: string, descriptor: number, most: number) {
    this.#path = path;
    this.#memory = Buffer.allocUnsafeSlow(Math.min(pieceBytes, most));
    let length = 0;
    for (;;) {
      const piece = this.#read(descriptor, length, most);
      if (piece.length === 0) break;
      this.#sha256.update(piece);
      this.#digests.push(digestOf(piece));
      length += piece.length;
    }
    this.length = length;
  }

  /**
   * Hashes a whole file.
   * @param most size limit; feedkey does not read a larger file, and returns it as a problem
   * @throws the system's error, such as ENOENT
   */
  static read(path: string, most: number): HashedFile | NotPlain {
    return withPlainFile(path, most, (descriptor, { size }) => {
      // One byte more than the size shows whether the file grows.
      const file = new HashedFile(path, descriptor, size + 1);
      return file.length > size ? undefined : file;
    });
  }

  /**
   * Hashes an open file and keeps it open, so that it can be read even after another file has its name. Bytes that were added
   * to the file since are left out.
   * @param descriptor is closed after a failure, and when the result is no longer in use
   * @param size the file's size in bytes
   * @throws the system's error
   */
  static held(path: string, descriptor: number, size: number): HashedFile {
    try {
      const file = new HashedFile(path, descriptor, size);
      if (file.length <= pieceBytes) {
        // The memory has the whole file: many small files must not keep many descriptors open.
        closeSync(descriptor);
        file.#held = inMemory;
        file.#present = 0;
        return file;
      }
      file.#held = descriptor;
      unused.register(file, descriptor);
      return file;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Opens, hashes and keeps open a plain file, like {@link held}. @throws the system's error, such as ENOENT */
  static hold(path: string): HashedFile | NotPlain {
    // Checked before the file is opened: opening a device may start it, and opening a pipe may lose its bytes.
    const there = lstatSync(path);
    if (!there.isFile()) return { problem: kindOf(there) };
    const descriptor = openPlain(path);
    if (typeof descriptor !== "number") return descriptor;
    const stat = fstatSync(descriptor);
    if (stat.isFile()) return HashedFile.held(path, descriptor, stat.size);
    closeSync(descriptor);
    return { problem: kindOf(stat) };
  }

  /** The hash of the whole file. */
  get sha256(): Hash {
    return this.#sha256.copy();
  }

  /** Yields the file in pieces. @param from offset of the first byte @throws FeedkeyError `locked` if the file has changed */
  *pieces(from = 0): Generator<Buffer, void> {
    const descriptor = this.#held ?? openPlain(this.#path);
    if (typeof descriptor !== "number") throw this.#changed();
    try {
      for (let at = from; at < this.length; ) {
        const number = Math.floor(at / pieceBytes);
        const start = number * pieceBytes;
        yield this.#piece(descriptor, number).subarray(at - start);
        at = start + pieceBytes;
      }
    } finally {
      if (descriptor !== this.#held) closeSync(descriptor);
    }
  }

  #piece(descriptor: number, number: number): Buffer {
    const start = number * pieceBytes;
    // A file that is not held may have changed since the piece was read.
    if (this.#present === number && this.#held !== undefined)
      return this.#memory.subarray(0, Math.min(pieceBytes, this.length - start));
    this.#present = -1;
    const piece = this.#read(descriptor, start, this.length);
    if (this.#digests[number]?.equals(digestOf(piece)) !== true) throw this.#changed();
    this.#present = number;
    return piece;
  }

  /** Reads a piece into the memory. The piece is shorter than others only at the end of the file. */
  #read(descriptor: number, start: number, end: number): Buffer {
    const wanted = Math.min(pieceBytes, end - start);
    let filled = 0;
    while (filled < wanted) {
      const count = readSync(descriptor, this.#memory, filled, wanted - filled, start + filled);
      if (count === 0) break;
      filled += count;
    }
    return this.#memory.subarray(0, filled);
  }

  #changed(): FeedkeyError {
    return new FeedkeyError("locked", `${escapeText(this.#path)} changed while it was being read`, {
      details: { path: this.#path },
      hint: "run the command again once the program that writes the file has ended",
    });
  }
}

function digestOf(piece: Uint8Array): Buffer {
  return createHash("sha256").update(piece).digest();
}
