/** Identifies files to detect changes. */
import type { Stats } from "node:fs";

/**
 * The identity of an unchanged file: size in bytes, times in milliseconds since 1970, and inode number. Floating-point numbers are precise
 * enough: they distinguish times a quarter of a microsecond apart, and the clock for file times is far coarser.
 */
export interface FileIdentity {
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
  readonly inode: number;
}

/** The number of values in an identity. */
export const identitySize = 4;

/** Returns the identity from the result of stat(2). */
export function identityOf({ size, mtimeMs, ctimeMs, ino }: Stats): FileIdentity {
  return { size, modified: mtimeMs, changed: ctimeMs, inode: ino };
}

/** Whether two identities are equal. If so, the file is unchanged. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}
