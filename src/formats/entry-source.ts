/** The common interface of all formats' scanners. */
import type { Entry } from "./entry.ts";

/** An entry with all its digests. The digests show whether two entries describe the same file. */
export interface DigestedEntry extends Entry {
  /** The MD5 digest as 32 lower-case hex digits. feedkey does not trust MD5 as proof. */
  readonly md5: string | undefined;
  /** Any other digest in the entry, with the digest's name. Two entries with different values describe different files. */
  readonly otherDigest?: string;
}

/**
 * A scanner over the entries of one text. It computes three FNV-1a hashes over UTF-8 bytes. `nameHash` covers the name.
 * `keyHash` covers name, version and architecture, separated by zero bytes. `fileHash` covers the file name's last segment.
 */
export interface EntrySource {
  /** Reads and checks the next entry; returns false at the end. */
  next(): boolean;
  /** Goes back to the entry with this `offset` and `line`. The next call of `next` reads this entry again. */
  seek(offset: number, line: number): void;
  entry(): DigestedEntry;
  /** The size of the text, in bytes. */
  readonly length: number;
  readonly offset: number;
  readonly line: number;
  readonly nameHash: number;
  readonly keyHash: number;
  readonly fileHash: number;
}
