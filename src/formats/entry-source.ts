/** The common interface of all formats' scanners. */
import type { Entry } from "./entry.ts";

/** An entry with all digests, to decide whether two entries describe the same file. */
export interface DigestedEntry extends Entry {
  /** MD5 as 32 lower-case hex digits. MD5 proves nothing. */
  readonly md5: string | undefined;
  /** Any other digest in the entry, with its name. If two entries' digests differ, their files differ. */
  readonly otherDigest?: string;
}

/**
 * A scanner over the entries of one text. The hashes are FNV-1a over UTF-8 bytes: of the name; of name, version and
 * architecture, separated by a zero byte; of the file name's last segment.
 */
export interface EntrySource {
  /** Reads and checks the next entry; returns false at the end. */
  next(): boolean;
  /** Goes back to an entry by its `offset` and `line`. `next` then reads this entry again. */
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
