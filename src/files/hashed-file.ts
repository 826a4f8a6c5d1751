/**
 * Reads files that need not fit into memory and that another user may have replaced, for example by a pipe. So it never waits
 * for a file, and reads only up to a size limit.
 */
import { createHash, type Hash, hash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, readSync } from "node:fs";
import type { Content } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { kindOf, type NotPlain, openPlain, withPlainFile } from "./plain-file.ts";
import { readError } from "./system-error.ts";

/** Number of bytes that are read at once: a piece stays in the processor's cache while it is hashed and parsed. */
const pieceBytes = 128 * 1024;

/** The most large files that one {@link HeldFiles} keeps open: systems limit how many files a program may open. */
const mostHeld = 64;

/** Hashes a piece. */
const digestOf = (piece: Uint8Array) => hash("sha256", piece);

/**
 * A hashed file. Whenever a piece of the file is read again, its digest is compared before the caller gets the piece, so the
 * caller always gets the bytes that were hashed.
 */
export class HashedFile implements Content {
  readonly length: number;
  readonly #path: string;
  readonly #follow: boolean;
  readonly #sha256 = createHash("sha256");
  /** The SHA-256 digests of the pieces. */
  readonly #digests: string[] = [];
  /** The descriptor of a file that {@link HeldFiles} keeps open. */
  #held: number | undefined;
  readonly #memory: Buffer;
  /** The number of the piece in the memory. A file of a single piece stays in memory. */
  #present: number;

  /**
   * Hashes an open file.
   * @param most the number of bytes to read, unless the file is shorter
   * @param follow whether the path may be a symbolic link when the file is opened again
   * @throws the system's error
   */
  constructor(path: string, descriptor: number, most: number, follow = false) {
    this.#path = path;
    this.#follow = follow;
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
    this.#present = this.#digests.length - 1;
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

  /** The hash of the whole file. */
  get sha256(): Hash {
    return this.#sha256.copy();
  }

  /**
   * Keeps the file open for later reading, unless it is in memory.
   * @param descriptor is closed by {@link close}
   * @returns whether the file is now kept open; if not, the descriptor is closed
   */
  keep(descriptor: number): boolean {
    const isLarge = this.#digests.length > 1;
    if (isLarge) this.#held = descriptor;
    else closeSync(descriptor);
    return isLarge;
  }

  /** Closes a file that was kept open. It can still be read as long as the same bytes are at its path. */
  close(): void {
    if (this.#held !== undefined) closeSync(this.#held);
    this.#held = undefined;
  }

  /**
   * Yields the file in pieces.
   * @param from offset of the first byte
   * @throws FeedkeyError `locked` if the file has changed; `not_found` if it can't be read
   */
  *pieces(from = 0): Generator<Buffer, void> {
    let opened: number | undefined;
    // A file that was kept open may be closed between two pieces.
    const descriptor = (): number => {
      if (this.#held !== undefined) return this.#held;
      opened ??= this.#open();
      return opened;
    };
    try {
      for (let at = from; at < this.length; ) {
        const number = Math.floor(at / pieceBytes);
        const start = number * pieceBytes;
        if (this.#present !== number) this.#load(descriptor(), number);
        yield this.#memory.subarray(at - start, Math.min(pieceBytes, this.length - start));
        at = start + pieceBytes;
      }
    } finally {
      if (opened !== undefined) closeSync(opened);
    }
  }

  #open(): number {
    try {
      const descriptor = openPlain(this.#path, this.#follow);
      if (typeof descriptor === "number") return descriptor;
    } catch (error) {
      throw readError(error, this.#path);
    }
    throw this.#changed();
  }

  #load(descriptor: number, number: number): void {
    const start = number * pieceBytes;
    this.#present = -1;
    let piece: Buffer;
    try {
      piece = this.#read(descriptor, start, this.length);
    } catch (error) {
      throw readError(error, this.#path);
    }
    if (this.#digests[number] !== digestOf(piece)) throw this.#changed();
    this.#present = number;
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

/** The files that one run keeps open, so that it can read them even after other files have their names. */
export class HeldFiles {
  readonly #files: HashedFile[] = [];

  /** Opens and hashes a plain file. @throws the system's error, such as ENOENT */
  open(path: string): HashedFile | NotPlain {
    // Checked before the file is opened: opening a device may start it, and opening a pipe may lose its bytes.
    const there = lstatSync(path);
    if (!there.isFile()) return { problem: kindOf(there) };
    const descriptor = openPlain(path);
    if (typeof descriptor !== "number") return descriptor;
    const stat = fstatSync(descriptor);
    if (stat.isFile()) return this.take(path, descriptor, stat.size);
    closeSync(descriptor);
    return { problem: kindOf(stat) };
  }

  /**
   * Hashes an open file. Bytes that were added to the file since are left out.
   * @param descriptor belongs to this object from now on
   * @param size the file's size in bytes
   * @param follow whether the path may be a symbolic link
   * @throws the system's error
   */
  take(path: string, descriptor: number, size: number, follow = false): HashedFile {
    let file: HashedFile;
    try {
      file = new HashedFile(path, descriptor, size, follow);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    if (file.keep(descriptor)) this.#files.push(file);
    if (this.#files.length > mostHeld) this.#files.shift()?.close();
    return file;
  }

  /** Closes the files. */
  close(): void {
    for (const file of this.#files.splice(0)) file.close();
  }
}
