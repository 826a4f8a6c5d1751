/** Yields entries from memory, for formats whose text feedkey can't read from the middle. */
import type { DigestedEntry, EntrySource } from "./entry-source.ts";
import { badText, indexText } from "./line-cursor.ts";
import { hashOf, keyHashOf } from "./package-index.ts";

export class ListedEntries implements EntrySource {
  readonly length: number;
  offset = -1;
  line = 0;
  nameHash = 0;
  keyHash = 0;
  fileHash = 0;
  readonly #entries: readonly DigestedEntry[];
  #next = 0;

  /** @param length size of the text in bytes */
  constructor(length: number, entries: readonly DigestedEntry[]) {
    this.length = length;
    this.#entries = entries;
  }

  next(): boolean {
    const entry = this.#entries[this.#next];
    if (entry === undefined) return false;
    this.offset = this.#next++;
    this.line = entry.line;
    this.nameHash = hashOf(entry.name);
    this.keyHash = keyHashOf(entry.name, entry.version, entry.architecture);
    const filename = entry.filename ?? "";
    this.fileHash = hashOf(filename.slice(filename.lastIndexOf("/") + 1));
    return true;
  }

  seek(offset: number): void {
    this.#next = offset;
  }

  entry(): DigestedEntry {
    const entry = this.#entries[this.offset];
    if (entry === undefined) throw badText(indexText, this.line, "has no entry");
    return entry;
  }
}
