/**
 * Names in the output folder. Some file systems treat x.ipk and X.ipk, or two encodings of an accented letter, as the same
 * name; on such a file system the second package would silently replace the first.
 */
import { lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";

/**
 * Returns the same result for names that some file system treats as the same, because of case, accents or invisible characters.
 */
export function foldedName(name: string): string {
  const shown = name.normalize("NFD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return shown.toUpperCase().toLowerCase().normalize("NFD");
}

/** The files in an output folder before feedkey writes anything to the folder. */
export class OutputNames {
  readonly #names: ReadonlySet<string>;
  readonly #exists: (name: string) => boolean;

  /** @param exists whether the file system finds a file under a name */
  constructor(names: Iterable<string>, exists: (name: string) => boolean) {
    this.#names = new Set(names);
    this.#exists = exists;
  }

  /** Reads the names in a folder. @param folder a folder that exists */
  static async of(folder: string): Promise<OutputNames> {
    return new OutputNames(await readdir(folder), (name) => {
      return lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
    });
  }

  /**
   * Returns why a package may not get a name; undefined if it may. A file with exactly this name may be replaced; a file that
   * the file system finds under this name, but that has a different name, may not.
   */
  problemWith(name: string): FeedkeyError | undefined {
    if (this.#names.has(name) || !this.#exists(name)) return undefined;
    const other = [...this.#names].find((one) => foldedName(one) === foldedName(name)) ?? "another file";
    return new FeedkeyError(
      "bad_path",
      `${escapeText(name)} would replace ${escapeText(other)}: on this file system both names are the same`,
      { details: { file: name, other }, hint: "fetch the package into another folder, or move the other file away" },
    );
  }
}
