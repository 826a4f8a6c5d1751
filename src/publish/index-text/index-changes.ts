/** Finds the differences between two versions of an index. */
import type { Content } from "../../content.ts";
import type { Entry } from "../../formats/entry.ts";
import type { PackageIndex } from "../../formats/package-index.ts";
import { stanzaRuns } from "./stanza-runs.ts";

const newline = 0x0a;

function* stanzasOf(text: Content | undefined): Generator<string, void> {
  for (const stanza of text === undefined ? [] : stanzaRuns(text.pieces(), 1)) {
    // If another program wrote the text, there may be no empty line after the last stanza.
    const end =
      stanza.at(-2) === newline ? stanza.length - 2 : stanza.at(-1) === newline ? stanza.length - 1 : stanza.length;
    yield stanza.toString("latin1", 0, end);
  }
}

function named({ name, version, architecture }: Pick<Entry, "name" | "version" | "architecture">): string {
  return `${name} ${version} ${architecture}`.trimEnd();
}

function digests(stanzas: ReadonlySet<string>, read: (text: Uint8Array) => PackageIndex): Map<string, string> {
  const text = Buffer.from([...stanzas].map((stanza) => `${stanza}\n\n`).join(""), "latin1");
  try {
    return new Map([...read(text)].map((entry) => [named(entry), entry.sha256 ?? ""]));
  } catch {
    // feedkey will replace the unreadable published file anyway.
    return new Map();
  }
}

/**
 * Compares two versions of package lists, and keeps the stanzas that only one version has. Reads both versions in parallel, so stanzas
 * that are in both versions take little memory.
 */
class Differing {
  readonly before = new Set<string>();
  readonly after = new Set<string>();

  compare(before: Content | undefined, after: Content | undefined): void {
    const [old, next] = [stanzasOf(before), stanzasOf(after)];
    for (;;) {
      const [one, other] = [old.next().value, next.next().value];
      if (one === undefined && other === undefined) return;
      if (one === other) continue;
      if (other !== undefined && !this.before.delete(other)) this.after.add(other);
      if (one !== undefined && !this.after.delete(one)) this.before.add(one);
    }
  }
}

/** Yields a line for each package in new lists. The lists must be readable. */
function* comers(lists: Lists, read: (text: Uint8Array) => PackageIndex): Generator<string, void> {
  for (const text of lists.values()) {
    for (const run of stanzaRuns(text.pieces(), runSize)) for (const entry of read(run)) yield `+ ${named(entry)}`;
  }
}

/** The number of bytes that feedkey reads at a time from a text. */
export const runSize = 256 * 1024;

/** Package lists, by name. */
type Lists = ReadonlyMap<string, Content>;

/**
 * Returns lines that tell keepers which packages were added (`+`), removed (`-`) and changed (`~`). Parses only the stanzas that differ.
 * @param read reads a text in the feed's format
 */
export function indexChanges(before: Lists, after: Lists, read: (text: Uint8Array) => PackageIndex): string[] {
  if (before.size === 0) return [...new Set(comers(after, read))];
  const differing = new Differing();
  for (const name of new Set([...before.keys(), ...after.keys()])) differing.compare(before.get(name), after.get(name));
  const [old, next] = [digests(differing.before, read), digests(differing.after, read)];
  const added = [...next.keys()].filter((name) => !old.has(name)).map((name) => `+ ${name}`);
  const removed = [...old.keys()].filter((name) => !next.has(name)).map((name) => `- ${name}`);
  const changed = [...next]
    .filter(([name, digest]) => old.has(name) && old.get(name) !== digest)
    .map(([name]) => `~ ${name}`);
  return [...added, ...removed, ...changed];
}
