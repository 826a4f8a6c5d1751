/** What an index says about one package, whatever its format. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  /** The architecture; empty if the format or the stanza has no architecture. */
  readonly architecture: string;
  /** Path as the index gives it (`Filename`, `FILE_NAME`), unchecked; undefined if missing. */
  readonly filename: string | undefined;
  /** The size of the file in bytes; undefined if the size is missing or not a plain decimal number. */
  readonly size: number | undefined;
  /** SHA-256 as 64 lower-case hex digits; undefined if the entry has no SHA-256. */
  readonly sha256: string | undefined;
  /** One line about the package, for people; undefined if the format or the entry has none. */
  readonly description?: string | undefined;
  /** Line of the stanza's first field, counted from 1. */
  readonly line: number;
}
