/** The facts that an index gives about one package. They are the same for all formats. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  /** The architecture; empty if the format or the stanza has no architecture. */
  readonly architecture: string;
  /** The file's path from the index (`Filename`, `FILE_NAME`). feedkey has not checked the path. Undefined if the index gives no path. */
  readonly filename: string | undefined;
  /** The size of the package file in bytes; undefined if the size is missing or not a plain decimal number. */
  readonly size: number | undefined;
  /** SHA-256 as 64 lower-case hex digits; undefined if the entry has no SHA-256. */
  readonly sha256: string | undefined;
  /** A one-line description of the package for people; undefined if the format or the entry has no description. */
  readonly description?: string | undefined;
  /** The line number of the entry's first line, counted from 1. */
  readonly line: number;
}
