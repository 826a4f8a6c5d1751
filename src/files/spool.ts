/** Bytes on their way, too many for memory: written once, then read wherever and as often as they are wanted. */
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "../content.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** Bytes that are written at once: what has no more needs no file. */
const room = 256 * 1024;
/** Bytes that are read at once: a piece is written at once, too. */
const piece = 1024 * 1024;

/** Blocks that are read ahead, for readers that go through several places at once. */
const block = 16 * 1024;
const blocks = 256;

/** A file without a name: nobody else can open it, and it is gone with the process, however that ends. */
export class Spool implements Content {
  #file: number | undefined;
  readonly #tail = Buffer.allocUnsafeSlow(room);
  #written = 0;
  #filled = 0;
  readonly #ahead = new Map<number, Buffer>();

  get length(): number {
    return this.#written + this.#filled;
  }

  /** @throws FeedkeyError `output` */
  write(bytes: Uint8Array): void {
    if (bytes.length > room - this.#filled) this.#flush();
    if (bytes.length > room) this.#append(bytes);
    else {
      this.#tail.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  }

  /** @param text of ASCII, or whatever UTF-8 has @throws FeedkeyError `output` */
  writeText(text: string): void {
    if (text.length * 3 > room) this.write(Buffer.from(text));
    else {
      if (text.length * 3 > room - this.#filled) this.#flush();
      this.#filled += this.#tail.write(text, this.#filled);
    }
  }

  /** A view, good until the next write. @throws FeedkeyError `output` */
  read(start: number, length: number): Buffer {
    const end = start + length;
    if (start >= this.#written) return this.#tail.subarray(start - this.#written, end - this.#written);
    if (end > this.#written) this.#flush();
    const first = Math.floor(start / block);
    // Two blocks or more are rarely asked for.
    if (end > (first + 1) * block || end > Math.floor(this.#written / block) * block)
      return this.#readAt(start, Buffer.allocUnsafeSlow(length));
    let found = this.#ahead.get(first);
    if (found === undefined) {
      found = this.#readAt(first * block, Buffer.allocUnsafeSlow(block));
      const [oldest] = this.#ahead.size < blocks ? [] : this.#ahead.keys();
      if (oldest !== undefined) this.#ahead.delete(oldest);
      this.#ahead.set(first, found);
    }
    return found.subarray(start - first * block, end - first * block);
  }

  /** @throws FeedkeyError `output` */
  *pieces(): Generator<Buffer, void> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(piece, this.#written));
    for (let at = 0; at < this.#written; at += piece) {
      yield this.#readAt(at, bytes.subarray(0, Math.min(piece, this.#written - at)));
    }
    if (this.#filled > 0) yield this.#tail.subarray(0, this.#filled);
  }

  /** Gives the disk its room back. */
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

/** The spools of one piece of work, which all end with it. */
export class Spools {
  readonly #open: { close(): void }[] = [];

  make(): Spool {
    const spool = new Spool();
    this.closeLater(spool);
    return spool;
  }

  /** Something else that ends with them. */
  closeLater(open: { close(): void }): void {
    this.#open.push(open);
  }

  close(): void {
    for (const one of this.#open.splice(0)) one.close();
  }
}
