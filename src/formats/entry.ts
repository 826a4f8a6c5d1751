/** What an index says about one package, whatever its format. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  /** Empty if the format or the stanza has none. */
  readonly architecture: string;
  /** Path as the index gives it (`Filename`, `FILE_NAME`), unchecked; undefined if missing. */
  readonly filename: string | undefined;
  /** Bytes; undefined if missing or not a plain decimal number. */
  readonly size: number | undefined;
  /** Lower-case hex, 64 digits; undefined if the entry has none. */
  readonly sha256: string | undefined;
  /** One line about the package, for people; undefined if the format or the entry has none. */
  readonly description?: string | undefined;
  /** Line of the stanza's first field, counted from 1. */
  readonly line: number;
}
