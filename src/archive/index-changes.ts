/** What differs between two texts of an index. */
import type { Entry } from "../index-format/entry.ts";
import type { PackageIndex } from "../index-format/package-index.ts";
import type { Listed } from "./feed-layout.ts";

/** The stanzas of a text that publish wrote; of others whatever stands between two empty lines. */
function stanzasOf(text: Uint8Array): Set<string> {
  return new Set(Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1").split("\n\n"));
}

/** The stanza as `stanzasOf` gives it: without the newline that ends it. */
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
    // Whatever lies there is going to be replaced.
    return new Map();
  }
}

/**
 * Lines for people: packages that come (`+`), go (`-`) or change (`~`). Only the stanzas that differ are read.
 * @param listed what `after` was made of, where it is known: then nothing of it need be read
 * @param read reads a text of the format
 */
export function indexChanges(
  before: Uint8Array | undefined,
  after: Uint8Array,
  listed: readonly Listed[] | undefined,
  read: (text: Uint8Array) => PackageIndex,
): string[] {
  const [earlier, later] = [stanzasOf(before ?? new Uint8Array()), stanzasOf(after)];
  const old = digests(
    [...earlier].filter((stanza) => !later.has(stanza)),
    read,
  );
  const next = listed
    ? new Map(listed.filter((one) => !earlier.has(textOf(one))).map((one) => [named(one), one.sha256]))
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
