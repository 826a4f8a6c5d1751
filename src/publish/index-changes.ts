/** Finds the differences between two texts of an index. */
import type { Entry } from "../formats/entry.ts";
import { asBuffer } from "../formats/line-cursor.ts";
import type { PackageIndex } from "../formats/package-index.ts";
import type { Listed } from "./feed-layout.ts";

/** The stanzas of a text that publish wrote; of other texts, everything between two empty lines. */
function stanzasOf(text: Uint8Array): Set<string> {
  return new Set(Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1").split("\n\n"));
}

/** The stanza as in `stanzasOf`: without its final newline. */
function textOf({ stanza }: Listed): string {
  return Buffer.from(stanza.buffer, stanza.byteOffset, stanza.length - 1).toString("latin1");
}

function named({ name, version, architecture }: Pick<Entry, "name" | "version" | "architecture">): string {
  return `${name} ${version} ${architecture}`.trimEnd();
}

function digests(stanzas: Iterable<string>, read: (text: Uint8Array) => PackageIndex): Map<string, string> {
  const text = Buffer.from([...stanzas].map((stanza) => `${stanza.replace(/\n$/, "")}\n`).join("\n"), "latin1");
  try {
    return new Map([...read(text)].map((entry) => [named(entry), entry.sha256 ?? ""]));
  } catch {
    // The present file will be replaced anyway.
    return new Map();
  }
}

const step = 64 * 1024;

/** How many bytes two texts have in common from their beginnings, or from their ends. */
function inCommon(before: Buffer, after: Buffer, most: number, fromEnd: boolean): number {
  const part = (text: Buffer, from: number, to: number) =>
    fromEnd ? text.subarray(text.length - to, text.length - from) : text.subarray(from, to);
  let same = 0;
  while (same < most) {
    const to = Math.min(most, same + step);
    const [one, other] = [part(before, same, to), part(after, same, to)];
    if (!one.equals(other)) {
      const differs = (byte: number, i: number) => byte !== other[i];
      return fromEnd ? same + (to - same - 1 - one.findLastIndex(differs)) : same + one.findIndex(differs);
    }
    same = to;
  }
  return same;
}

/** The rest of two texts without their common stanzas at the beginning and at the end. */
function differing(before: Buffer, after: Buffer): { before: Buffer; after: Buffer } {
  const shorter = Math.min(before.length, after.length);
  const same = inCommon(before, after, shorter, false);
  // A stanza begins after an empty line, which is the same in both too.
  const border = same < 2 ? -1 : before.lastIndexOf("\n\n", same - 2);
  const from = border === -1 ? 0 : border + 2;
  const tail = inCommon(before, after, shorter - from, true);
  const next = before.indexOf("\n\n", before.length - tail);
  const kept = next === -1 ? 0 : before.length - next - 2;
  return { before: before.subarray(from, before.length - kept), after: after.subarray(from, after.length - kept) };
}

/**
 * Lines for people: packages that come (`+`), go (`-`) or change (`~`). Only the stanzas that differ are read.
 * @param listed the packages of `after`, if known, as views into it; then it need not be parsed
 * @param read reads a text of the format
 */
export function indexChanges(
  before: Uint8Array | undefined,
  after: Uint8Array,
  listed: readonly Listed[] | undefined,
  read: (text: Uint8Array) => PackageIndex,
): string[] {
  const parts = differing(asBuffer(before ?? new Uint8Array()), asBuffer(after));
  const [earlier, later] = [stanzasOf(parts.before), stanzasOf(parts.after)];
  const first = parts.after.byteOffset;
  const isIn = ({ stanza }: Listed) => stanza.byteOffset >= first && stanza.byteOffset < first + parts.after.length;
  const old = digests(
    [...earlier].filter((stanza) => !later.has(stanza)),
    read,
  );
  const next = listed
    ? new Map(listed.filter((one) => isIn(one) && !earlier.has(textOf(one))).map((one) => [named(one), one.sha256]))
    : digests(
        [...later].filter((stanza) => !earlier.has(stanza)),
        read,
      );
  const added = [...next.keys()].filter((name) => !old.has(name)).map((name) => `+ ${name}`);
  const removed = [...old.keys()].filter((name) => !next.has(name)).map((name) => `- ${name}`);
  const changed = [...next]
    .filter(([name, digest]) => old.has(name) && old.get(name) !== digest)
    .map(([name]) => `~ ${name}`);
  return [...added, ...removed, ...changed];
}
