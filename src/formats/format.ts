/** What a format of feeds says of itself: how its files are called, what a signature covers, how versions are ordered. */
import type { PackageIndex } from "./package-index.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** Compressed forms of an index, by the ending of their names. */
export const compressionOf = { gz: "gzip", xz: "xz", zst: "zstd", bz2: "bzip2" } as const;

export type CompressedForm = keyof typeof compressionOf;

export interface Format {
  /** The name of the index that is not compressed. */
  readonly index: string;
  /** Forms of it that are read, besides. */
  readonly forms: readonly CompressedForm[];
  /** The file that is always published, and always signed. */
  readonly published: string;
  /** Index files that a client asks for where its profile names none, the best first. */
  readonly asked: readonly string[];
  /** What a signature covers: the text, whichever form is downloaded, or the file as it lies there. */
  readonly signs: "text" | "file";
  /** How package files are called. */
  readonly packageName: RegExp;
  /** Negative if `a` is older, positive if newer, 0 if neither. */
  compareVersions(a: string, b: string): number;
  /**
   * Checks the text of an index and makes its packages findable. The text's memory is shared, not copied.
   * @throws FeedkeyError `bad_index` with the line
   */
  read(text: Uint8Array): PackageIndex;
}
