/**
 * The file names in the output folder. Some file systems treat x.ipk and X.ipk, or two encodings of an accented letter, as the
 * same name. On such a file system, one package would silently replace another.
 */
import { lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";

/**
 * Returns a name in a form that is equal for all names that a file system may treat as equal, because of case, accents or
 * invisible characters.
 */
export function foldedName(name: string): string {
  const shown = name.normalize("NFD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return shown.toUpperCase().toLowerCase().normalize("NFD");
}

/** The files in an output folder before feedkey writes anything to the folder. */
export class OutputNames {
  readonly #names: ReadonlySet<string>;
  readonly #exists: (name: string) => boolean;

  /** @param exists tells whether the file system finds a file under the given name */
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
   * Returns the reason why a package may not have a name; undefined if it may. The package may replace a file with exactly this
   * name, but not a file with a different name that the file system treats as equal.
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
