/**
 * Stores bytes that may not fit into memory: the caller writes them once, and then reads them in any order and as often as needed.
 */
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "../content.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** The size of the write buffer in bytes. Content that fits into the buffer needs no file. */
const room = 256 * 1024;
/** The number of bytes that `pieces` reads in one step. */
const piece = 1024 * 1024;

/** The size in bytes of the blocks that `read` keeps in memory, for callers that read at several places in turn. */
const block = 16 * 1024;
const blocks = 256;

/**
 * Bytes in a temporary file without a name: no other process can open the file, and the file disappears when the process ends,
 * even if the process is killed.
 */
export class Spool implements Content {
  #file: number | undefined;
  readonly #tail = Buffer.allocUnsafeSlow(room);
  #written = 0;
  #filled = 0;
  readonly #ahead = new Map<number, Buffer>();

  get length(): number {
    return this.#written + this.#filled;
  }

  /** Appends bytes. @throws FeedkeyError `output` if the file can't be written */
  write(bytes: Uint8Array): void {
    if (bytes.length > room - this.#filled) this.#flush();
    if (bytes.length > room) this.#append(bytes);
    else {
      this.#tail.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  }

  /** Appends text as UTF-8. @throws FeedkeyError `output` if the file can't be written */
  writeText(text: string): void {
    if (text.length * 3 > room) this.write(Buffer.from(text));
    else {
      if (text.length * 3 > room - this.#filled) this.#flush();
      this.#filled += this.#tail.write(text, this.#filled);
    }
  }

  /**
   * Returns bytes, which are valid only until the next read or write.
   * @throws FeedkeyError `output` if feedkey can't write or read the file
   */
  read(start: number, length: number): Buffer {
    const end = start + length;
    if (start >= this.#written) return this.#tail.subarray(start - this.#written, end - this.#written);
    if (end > this.#written) this.#flush();
    const first = Math.floor(start / block);
    // This case is rare: the bytes are in more than one block, or in a block that is not yet complete.
    if (end > (first + 1) * block || end > Math.floor(this.#written / block) * block)
      return this.#readAt(start, Buffer.allocUnsafeSlow(length));
    let found = this.#ahead.get(first);
    if (found === undefined) {
      const [[oldest, memory] = []] = this.#ahead.size < blocks ? [] : this.#ahead;
      if (oldest !== undefined) this.#ahead.delete(oldest);
      found = this.#readAt(first * block, memory ?? Buffer.allocUnsafeSlow(block));
      this.#ahead.set(first, found);
    }
    return found.subarray(start - first * block, end - first * block);
  }

  /**
   * Yields all bytes in pieces. A piece is valid only until the next piece.
   * @throws FeedkeyError `output` if feedkey can't read the file
   */
  *pieces(from = 0): Generator<Buffer, void> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(piece, this.#written));
    for (let at = from; at < this.#written; at += piece) {
      yield this.#readAt(at, bytes.subarray(0, Math.min(piece, this.#written - at)));
    }
    const rest = this.#tail.subarray(Math.max(0, from - this.#written), this.#filled);
    if (rest.length > 0) yield rest;
  }

  /** Closes the file, which frees its space on the disk. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    this.#append(this.#tail.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #append(bytes: Uint8Array): void {
    this.#attempt(() => {
      this.#file ??= openNameless();
      for (let rest = bytes; rest.length > 0; ) {
        const count = writeSync(this.#file, rest, 0, rest.length, this.#written);
        this.#written += count;
        rest = rest.subarray(count);
      }
    });
  }

  #readAt(start: number, bytes: Buffer): Buffer {
    this.#attempt(() => {
      for (let filled = 0; filled < bytes.length; ) {
        const count = readSync(this.#file ?? -1, bytes, filled, bytes.length - filled, start + filled);
        if (count === 0) throw new Error("a temporary file has become shorter");
        filled += count;
      }
    });
    return bytes;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw outputError(error, tmpdir());
    }
  }
}

function openNameless(): number {
  const path = join(tmpdir(), temporaryName());
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  unlinkSync(path);
  return file;
}

/** The spools of one task, which the task closes together. */
export class Spools {
  readonly #open: { close(): void }[] = [];

  make(): Spool {
    const spool = new Spool();
    this.closeLater(spool);
    return spool;
  }

  /** Adds another object that must be closed together with the spools. */
  closeLater(open: { close(): void }): void {
    this.#open.push(open);
  }

  close(): void {
    for (const one of this.#open.splice(0)) one.close();
  }
}
