/**
 * The control file of a package in its one usual form, read at once out of its first bytes: an `ar` archive of three
 * members, a `control.tar` of plain files. It gives up at whatever is not plainly so: then `control.ts`
 * reads the package, and decides. So a verdict never depends on this file. It is there because that takes 250
 * microseconds for each package, and this 60 (`bench/main.ts` publishes 2,000 of them).
 */
import { asBuffer } from "../index-format/line-cursor.ts";
import { AR_MAGIC } from "./ar.ts";
import { gunzip } from "./gzip.ts";
import { MAX_CONTROL_FILE, MAX_CONTROL_MEMBER, MAX_CONTROL_TAR, MAX_TAR_ENTRIES } from "./limits.ts";

const headerSize = 60;
const block = 512;
/** Most control archives are the least that tar writes, 10 KiB. In a buffer of 16 KiB for each, unpacking took three times as long. */
const usualRoom = 12 * 1024;

/** The control archive of a package in the usual form, still compressed; a view into the bytes given. */
export interface ControlMember {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Finds the control archive.
 * @param head the package's first bytes; all of it, if it is no longer than what is read at once
 * @param size bytes of the whole package
 * @returns undefined where anything is not in the usual form
 */
export function findControlMember(head: Buffer, size: number): ControlMember | undefined {
  if (head.toString("latin1", 0, AR_MAGIC.length) !== AR_MAGIC) return undefined;
  const version = readMember(head, AR_MAGIC.length);
  if (version?.name !== "debian-binary" || head.toString("latin1", version.start, version.end) !== "2.0\n") {
    return undefined;
  }
  const control = readMember(head, version.end);
  if (control === undefined || !/^control\.tar\.(gz|xz|zst)$/.test(control.name)) return undefined;
  if (control.end > head.length || control.end - control.start > MAX_CONTROL_MEMBER) return undefined;
  const padding = control.end % 2;
  if (padding === 1 && head[control.end] !== 0x0a) return undefined;
  const data = readMember(head, control.end + padding);
  if (data === undefined || !/^data\.tar(\.(gz|xz|zst|bz2|lzma))?$/.test(data.name)) return undefined;
  // The last member, with its padding.
  const padded = data.end % 2 === 1;
  if (size !== (padded ? data.end + 1 : data.end) || (padded && head[data.end] !== 0x0a)) return undefined;
  return { name: control.name, bytes: head.subarray(control.start, control.end) };
}

/** The member whose header stands at `at`, by ar(5): name, time, owner, group, mode, size, end mark. */
function readMember(head: Buffer, at: number): { name: string; start: number; end: number } | undefined {
  if (at + headerSize > head.length) return undefined;
  const text = head.toString("latin1", at, at + headerSize);
  const name = /^[a-z.-]{1,15}(?=\/? *$)/.exec(text.slice(0, 16))?.[0];
  const numbers = [text.slice(16, 28), text.slice(28, 34), text.slice(34, 40)];
  const size = /^(\d+) *$/.exec(text.slice(48, 58))?.[1];
  if (name === undefined || size === undefined || text.slice(58) !== "`\n") return undefined;
  if (!numbers.every((number) => /^\d+ *$/.test(number)) || !/^[0-7]+ *$/.test(text.slice(40, 48))) return undefined;
  const start = at + headerSize;
  return { name, start, end: start + Number(size) };
}

/** The content of a gzip file, where it is a whole one and nothing else. */
export function inflateControl(bytes: Uint8Array): Buffer | undefined {
  try {
    return asBuffer(gunzip(bytes, MAX_CONTROL_TAR, usualRoom));
  } catch {
    return undefined;
  }
}

/**
 * The file `control` of a tar archive of plain files and folders in the ustar or GNU form (POSIX pax, tar(5)).
 * @returns a view into the archive; undefined where anything is not in the usual form
 */
export function findControlQuickly(tar: Buffer): Uint8Array | undefined {
  let control: Buffer | undefined;
  let at = 0;
  for (let count = 0; count <= MAX_TAR_ENTRIES; count++) {
    if (at + block > tar.length) return undefined;
    const header = tar.subarray(at, at + block);
    if (header[0] === 0) return isZero(tar, at) ? control : undefined;
    const entry = readPlainHeader(header);
    if (entry === undefined) return undefined;
    const start = at + block;
    if (entry.name === "control" || entry.name === "./control") {
      if (control !== undefined || !entry.isFile || entry.size > MAX_CONTROL_FILE) return undefined;
      control = tar.subarray(start, start + entry.size);
    }
    at = start + Math.ceil(entry.size / block) * block;
  }
  return undefined;
}

/** An entry that every reader of tar takes for the same: a plain file, or a folder without content; else undefined. */
export function readPlainHeader(header: Buffer): { name: string; size: number; isFile: boolean } | undefined {
  const text = header.toString("latin1");
  const name = /^[^\0]{1,99}(?=\0+$)/.exec(text.slice(0, 100))?.[0];
  const size = octal(text.slice(124, 136));
  const type = text[156];
  // No name of two parts, no extension of any kind.
  if (name === undefined || size === undefined || !/^ustar(\0| {2}\0|\0{3})/.test(text.slice(257, 265)))
    return undefined;
  if (/[^\x20-\x7e]/.test(name) || !isPlain(name)) return undefined;
  if (text.slice(257, 263) === "ustar\0" && header[345] !== 0) return undefined;
  if (!hasRightSum(header, octal(text.slice(148, 156)))) return undefined;
  if (type === "0" || type === "\0") return name.endsWith("/") ? undefined : { name, size, isFile: true };
  if (type !== "5" || size !== 0 || /^(\.\/)?control\/?$/.test(name)) return undefined;
  return { name, size, isFile: false };
}

/** Whether a name is in its one usual spelling: `.//control` is unpacked over `./control`, and must not pass for another. */
function isPlain(name: string): boolean {
  if (name === "./") return true;
  const parts = name
    .replace(/^\.\//, "")
    .replace(/(.)\/$/, "$1")
    .split("/");
  return parts.every((part) => part !== "" && part !== "." && part !== "..");
}

function octal(text: string): number | undefined {
  const digits = /^ *([0-7]+)[\0 ]*$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** The sum of all bytes, those of the sum itself taken for spaces. */
function hasRightSum(header: Buffer, wanted: number | undefined): boolean {
  let sum = 8 * 0x20;
  for (let at = 0; at < block; at++) if (at < 148 || at >= 156) sum += header[at] ?? 0;
  return sum === wanted;
}

function isZero(tar: Buffer, from: number): boolean {
  for (let at = from; at < tar.length; at++) if (tar[at] !== 0) return false;
  return true;
}
