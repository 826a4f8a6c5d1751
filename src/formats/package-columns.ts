/** Stores numbers for each entry of an index in memory, one column for each kind of number. */
import type { EntrySource } from "./entry-source.ts";

function grown<T extends Int32Array | Uint32Array>(column: T, length: number): T {
  const wider = new (column.constructor as new (length: number) => T)(length);
  wider.set(column);
  return wider;
}

/** Typical size of a stanza in bytes. If the stanzas are shorter, the columns must grow. */
const usualStanza = 512;

export class Columns {
  count = 0;
  offsets: Uint32Array;
  lines: Uint32Array;
  nameHashes: Int32Array;
  keyHashes: Int32Array;
  fileHashes: Int32Array;

  /** @param expected the approximate number of entries */
  constructor(expected: number) {
    const room = Math.max(16, expected);
    this.offsets = new Uint32Array(room);
    this.lines = new Uint32Array(room);
    this.nameHashes = new Int32Array(room);
    this.keyHashes = new Int32Array(room);
    this.fileHashes = new Int32Array(room);
  }

  /**
   * Reads a source to its end.
   * @throws what the source throws
   */
  static of(source: EntrySource): Columns {
    const columns = new Columns(Math.ceil(source.length / usualStanza));
    while (source.next()) {
      columns.add(source.offset, source.line, source.nameHash, source.keyHash, source.fileHash);
    }
    return columns;
  }

  /** Adds an entry: its offset and line, and the hashes of {@link EntrySource}. */
  add(offset: number, line: number, nameHash: number, keyHash: number, fileHash: number): void {
    const { count } = this;
    if (count === this.offsets.length) this.#grow();
    this.offsets[count] = offset;
    this.lines[count] = line;
    this.nameHashes[count] = nameHash;
    this.keyHashes[count] = keyHash;
    this.fileHashes[count] = fileHash;
    this.count = count + 1;
  }

  #grow(): void {
    const room = this.offsets.length * 2;
    this.offsets = grown(this.offsets, room);
    this.lines = grown(this.lines, room);
    this.nameHashes = grown(this.nameHashes, room);
    this.keyHashes = grown(this.keyHashes, room);
    this.fileHashes = grown(this.fileHashes, room);
  }
}
