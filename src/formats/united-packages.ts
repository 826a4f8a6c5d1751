/** Combines the packages in several lists. */
import { escapeText } from "../escape.ts";
import type { DigestedEntry } from "./entry-source.ts";
import { badText } from "./line-cursor.ts";
import type { Packages } from "./package-index.ts";

/** The packages in several lists. If several lists have the same entry, the class uses the entry of the first list. */
export class UnitedPackages implements Packages {
  readonly #lists: readonly Packages[];
  /** The number of entries in later lists that an earlier list also has. */
  readonly #repeats: number;

  /**
   * @param lists the lists, each with its name in errors
   * @throws FeedkeyError `bad_index` if a package appears with different digests (T13)
   */
  constructor(lists: readonly { readonly name: string; readonly packages: Packages }[]) {
    this.#lists = lists.map(({ packages }) => packages);
    let repeats = 0;
    for (const [place, { name, packages }] of lists.entries()) {
      for (const entry of place === 0 ? [] : packages) {
        const [earlier] = this.#among(this.#lists.slice(0, place), entry.name, entry.version, entry.architecture);
        if (earlier === undefined) continue;
        const same = earlier.sha256 === entry.sha256 && earlier.otherDigest === entry.otherDigest;
        const what = `lists ${entry.name} ${entry.version} ${entry.architecture} with different digests from another list`;
        if (!same) throw badText({ name: escapeText(name), code: "bad_index" }, entry.line, escapeText(what));
        repeats++;
      }
    }
    this.#repeats = repeats;
  }

  get count(): number {
    return this.#lists.reduce((sum, { count }) => sum + count, 0) - this.#repeats;
  }

  find(name: string, version?: string, architecture?: string): DigestedEntry[] {
    return this.#among(this.#lists, name, version, architecture);
  }

  findByFile(baseName: string): DigestedEntry[] {
    return this.#lists.flatMap((list) => list.findByFile(baseName));
  }

  *[Symbol.iterator](): Generator<DigestedEntry, void> {
    for (const list of this.#lists) yield* list;
  }

  #among(lists: readonly Packages[], name: string, version?: string, architecture?: string): DigestedEntry[] {
    const found = lists.flatMap((list) => list.find(name, version, architecture));
    return found.filter((one, place) => {
      const isSame = (other: DigestedEntry) => other.version === one.version && other.architecture === one.architecture;
      return found.findIndex(isSame) === place;
    });
  }
}
