/** Tells whether files have changed. */
import type { Stats } from "node:fs";

/**
 * The identity of an unchanged file: size in bytes, times in milliseconds since 1970. A number distinguishes times a quarter of a
 * microsecond apart, far finer than the clock from which files get their times.
 */
export interface FileIdentity {
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
  readonly inode: number;
}

/** How many numbers an identity has. */
export const identitySize = 4;

/** Returns the identity from the result of stat(2). */
export function identityOf({ size, mtimeMs, ctimeMs, ino }: Stats): FileIdentity {
  return { size, modified: mtimeMs, changed: ctimeMs, inode: ino };
}

/** Tells whether two identities are equal, so that the file is unchanged. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}
