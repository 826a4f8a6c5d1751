/**
 * Reads the headers of a tar archive: POSIX ustar and pax, and GNU (tar(5)). An installer must see exactly the files that
 * feedkey sees. So feedkey refuses forms that known programs read differently.
 */

import { withoutTrailing } from "../../trailing.ts";
import { asBuffer } from "../line-cursor.ts";
import { damage, quote } from "./damage.ts";

/** The size of a block, in bytes. A header is one block, and a file's content is padded to whole blocks. */
export const BLOCK = 512;

export interface TarHeader {
  readonly name: string;
  /** The type flag; `0` if the header has no flag, as in older archives. */
  readonly type: string;
  /** The size of the content, in bytes. */
  readonly size: number;
}

/**
 * Reads a header block.
 * @param at offset of the block in the archive, in bytes
 * @throws FeedkeyError `bad_package` if the header is malformed
 */
export function readHeader(block: Buffer, at: number): TarHeader {
  const text = block.toString("latin1");
  if (checksum(block) !== octal(text.slice(148, 156))) throw broken(at, "has a wrong checksum");
  const isPosix = text.startsWith("ustar\0", 257);
  if (!isPosix && !text.startsWith("ustar  \0", 257)) throw broken(at, "is of an unknown form");
  const size = octal(text.slice(124, 136));
  if (size === undefined) throw broken(at, "has a size that is not an octal number");
  const base = name(block, text, 0, 100);
  const prefix = isPosix && text[345] !== "\0" ? `${name(block, text, 345, 500)}/` : "";
  return { name: `${prefix}${base}`, type: text[156] === "\0" ? "0" : (text[156] ?? ""), size };
}

function broken(at: number, problem: string): Error {
  return damage(`tar archive is damaged: the header at byte ${at} ${problem}`);
}

/** Computes a header's checksum: the sum of its bytes. Each byte of the stored checksum counts as a space. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}

/** Reads an octal number. Spaces may precede the number, and spaces or NULs may follow it. */
function octal(text: string): number | undefined {
  const digits = /^ *([0-7]*)[\0 ]*$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(`0${digits}`, 8);
}

function name(block: Buffer, text: string, start: number, limit: number): string {
  const end = text.indexOf("\0", start);
  return block.toString("utf8", start, end === -1 || end > limit ? limit : end);
}

/** The data that extension headers give for the next file: a long name or a size. */
export class Extensions {
  #path: string | undefined;
  #size: number | undefined;
  readonly #seen = new Set<string>();

  /** Whether the last header was an extension header, so that the header of its file must follow. */
  get pending(): boolean {
    return this.#seen.size > 0;
  }

  /**
   * Reads an extension header.
   * @param type the header's type: `L`, `K`, `x` or `g`
   * @throws FeedkeyError `bad_package` if the header is malformed
   */
  add(type: string, content: Uint8Array): void {
    if (type === "g") {
      const global = readRecords(content);
      if (global.has("path") || global.has("size"))
        throw damage("tar archive has a header that gives one name or size to all files");
      return;
    }
    if (this.#seen.has(type)) throw damage("tar archive has two extension headers of the same type for one file");
    this.#seen.add(type);
    if (type === "L") this.#setPath(withoutTrailing(asBuffer(content).toString("utf8"), "\0"));
    if (type !== "x") return;
    const records = readRecords(content);
    const path = records.get("path");
    if (path !== undefined) this.#setPath(path);
    const size = records.get("size");
    if (size !== undefined && !/^\d{1,15}$/.test(size)) throw damage(`tar archive has a size of ${quote(size)}`);
    if (size !== undefined) this.#size = Number(size);
  }

  /** Completes a file's header with the data from the extension headers. Then deletes the data. */
  applyTo(header: TarHeader): TarHeader {
    if (!this.pending) return header;
    const whole = { ...header, name: this.#path ?? header.name, size: this.#size ?? header.size };
    this.#path = undefined;
    this.#size = undefined;
    this.#seen.clear();
    return whole;
  }

  #setPath(path: string): void {
    if (this.#path !== undefined)
      throw damage(`tar archive gives a file two names: ${quote(this.#path)}, ${quote(path)}`);
    if (path === "" || path.includes("\0")) throw damage(`tar archive has the unusable name ${quote(path)}`);
    this.#path = path;
  }
}

/** Reads the records in a pax header. Each record is `LENGTH KEY=VALUE` and a newline. LENGTH is the length of the whole record. */
function readRecords(content: Uint8Array): ReadonlyMap<string, string> {
  const bytes = asBuffer(content);
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const digits = /^[1-9]\d{0,8}(?= )/.exec(bytes.toString("latin1", at, at + 10))?.[0] ?? "";
    const end = at + Number(digits);
    const record = bytes.toString("utf8", at + digits.length + 1, end - 1);
    const [key = ""] = /^[^=]+(?==)/.exec(record) ?? [];
    if (key === "" || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw damage("tar archive has a damaged pax header");
    // Programs that support sparse files read a different name and size from GNU.sparse records.
    if (records.has(key) || key.startsWith("GNU.sparse.")) {
      throw damage(`tar archive has a pax header with ${quote(key)} ${records.has(key) ? "twice" : "in it"}`);
    }
    records.set(key, record.slice(key.length + 1));
    at = end;
  }
  return records;
}
