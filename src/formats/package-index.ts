/** Looks up packages in a checked index of any format. */
import type { Entry } from "./entry.ts";
import type { DigestedEntry, EntrySource } from "./entry-source.ts";
import { badText, hashStart, hashStep, indexText } from "./line-cursor.ts";
import { Columns } from "./package-columns.ts";

/** Looks up packages in an index. */
export interface Packages {
  /** The number of entries, including repeated entries. */
  readonly count: number;
  /** Returns a package's entries, each once. Without `version` or `architecture`, any version or architecture matches. */
  find(name: string, version?: string, architecture?: string): DigestedEntry[];
  /** Returns the entries whose file name has this last path segment. */
  findByFile(baseName: string): DigestedEntry[];
  /** Yields every entry, including repeated entries. */
  [Symbol.iterator](): Generator<DigestedEntry, void>;
}

/**
 * The packages in an index. The class stores only some numbers for each entry, and reads the entry again on demand. This saves
 * nine tenths of the memory.
 */
export class PackageIndex implements Packages {
  readonly #source: EntrySource;
  readonly #columns: Columns;
  readonly #repeats = new Set<number>();
  #byName: HashChains | undefined;
  #byKey: HashChains | undefined;
  #byFile: HashChains | undefined;

  /**
   * @param source the entries; the constructor reads all of them
   * @throws FeedkeyError `bad_index`, with the line, if the source throws it, or if a package appears with different digests
   */
  constructor(source: EntrySource) {
    this.#source = source;
    this.#columns = Columns.of(source);
    this.#refuseContradictions();
  }

  /** The number of entries in the index, including repeated entries. */
  get count(): number {
    return this.#columns.count;
  }

  /**
   * Returns the entries of a package in the order of the index, and a repeated entry only once.
   * Without `version` or `architecture`, any version or architecture matches.
   */
  find(name: string, version?: string, architecture?: string): DigestedEntry[] {
    const found: DigestedEntry[] = [];
    for (const index of this.#candidates(name, version, architecture)) {
      if (this.#repeats.has(index)) continue;
      const entry = this.#at(index);
      if (entry.name !== name || (version !== undefined && entry.version !== version)) continue;
      if (architecture === undefined || entry.architecture === architecture) found.push(entry);
    }
    return found;
  }

  /** Finds possible positions. With a known version and architecture, the look-up skips other versions, which may be thousands. */
  #candidates(name: string, version?: string, architecture?: string): Iterable<number> {
    const { nameHashes, keyHashes } = this.#columns;
    if (version !== undefined && architecture !== undefined) {
      this.#byKey ??= new HashChains(keyHashes, this.count);
      return this.#byKey.candidates(keyHashOf(name, version, architecture));
    }
    this.#byName ??= new HashChains(nameHashes, this.count);
    return this.#byName.candidates(hashOf(name));
  }

  /** Returns the entries whose file name has this last path segment, in the order of the index. */
  findByFile(baseName: string): DigestedEntry[] {
    this.#byFile ??= new HashChains(this.#columns.fileHashes, this.count);
    const found: DigestedEntry[] = [];
    for (const index of this.#byFile.candidates(hashOf(baseName))) {
      const entry = this.#at(index);
      const filename = entry.filename;
      if (filename?.slice(filename.lastIndexOf("/") + 1) === baseName) found.push(entry);
    }
    return found;
  }

  /** Yields every entry in the order of the index, including repeated entries. */
  *[Symbol.iterator](): Generator<DigestedEntry, void> {
    for (let index = 0; index < this.count; index++) yield this.#at(index);
  }

  #at(index: number): DigestedEntry {
    const { offsets, lines } = this.#columns;
    this.#source.seek(offsets[index] ?? 0, lines[index] ?? 0);
    this.#source.next();
    return this.#source.entry();
  }

  /** Applies rule T13: every program that reads the index must get the same file for a package. */
  #refuseContradictions(): void {
    const { keyHashes } = this.#columns;
    const chains = new HashChains(keyHashes, this.count);
    for (let index = 0; index < this.count; index++) {
      const hash = keyHashes[index] ?? 0;
      for (let other = chains.first(hash); other < index; other = chains.after(other, hash)) {
        if (this.#repeats.has(other) || !this.#isRepeated(index, other)) continue;
        this.#repeats.add(index);
        break;
      }
    }
  }

  /** Whether both entries describe the same package. @throws FeedkeyError `bad_index` if the entries have different digests */
  #isRepeated(index: number, other: number): boolean {
    const entry = this.#at(index);
    const earlier = this.#at(other);
    if (!isSamePackage(entry, earlier)) return false;
    if (hasSameDigests(entry, earlier)) return true;
    const what = `${entry.name} ${entry.version} ${entry.architecture}`.trimEnd();
    throw badText(indexText, entry.line, `lists ${what} with different digests from line ${earlier.line}`);
  }
}

function isSamePackage(a: Entry, b: Entry): boolean {
  return a.name === b.name && a.version === b.version && a.architecture === b.architecture;
}

function hasSameDigests(a: DigestedEntry, b: DigestedEntry): boolean {
  return a.sha256 === b.sha256 && a.md5 === b.md5 && a.otherDigest === b.otherDigest;
}

/** Computes the FNV-1a hash of a string's UTF-8 bytes. Scanners compute the same hash over the index. @param seed the hash so far */
export function hashOf(text: string, seed = hashStart): number {
  let hash = seed;
  for (const byte of Buffer.from(text, "utf8")) hash = hashStep(hash, byte);
  return hash;
}

/** Computes one hash over name, version and architecture. Scanners compute the same hash. */
export function keyHashOf(name: string, version: string, architecture: string): number {
  const withVersion = hashOf(version, hashStep(hashOf(name), 0));
  return hashOf(architecture, hashStep(withVersion, 0));
}

/** Finds positions by hash, with chains in two flat arrays. A Map of arrays would need ten times the memory. */
class HashChains {
  readonly #hashes: Int32Array;
  readonly #heads: Int32Array;
  readonly #nexts: Int32Array;
  readonly #mask: number;

  constructor(hashes: Int32Array, count: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(16, count * 2)));
    this.#hashes = hashes;
    this.#mask = width - 1;
    // The arrays contain each position plus one, because new memory contains zeros and zero must mean an empty slot.
    this.#heads = new Int32Array(width);
    this.#nexts = new Int32Array(count);
    const [heads, nexts, mask] = [this.#heads, this.#nexts, this.#mask];
    // The loop adds the last entry first, so that each chain follows the order of the index.
    for (let index = count - 1; index >= 0; index--) {
      const slot = (hashes[index] ?? 0) & mask;
      nexts[index] = heads[slot] ?? 0;
      heads[slot] = index + 1;
    }
  }

  *candidates(hash: number): Generator<number, void> {
    for (let index = this.first(hash); index < this.#hashes.length; index = this.after(index, hash)) yield index;
  }

  /** Returns the first position with this hash; the number of positions if no position has the hash. */
  first(hash: number): number {
    return this.#find((this.#heads[hash & this.#mask] ?? 0) - 1, hash);
  }

  /** Returns the next position with the same hash; the number of positions if no further position has the hash. */
  after(index: number, hash: number): number {
    return this.#find((this.#nexts[index] ?? 0) - 1, hash);
  }

  #find(from: number, hash: number): number {
    let index = from;
    while (index !== -1 && this.#hashes[index] !== hash) index = (this.#nexts[index] ?? 0) - 1;
    return index === -1 ? this.#hashes.length : index;
  }
}
