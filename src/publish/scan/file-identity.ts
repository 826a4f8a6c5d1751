/** Tells whether files have changed. Uses several cores, because a run without changes spends most of its time on this check. */
import { lstatSync, type Stats } from "node:fs";
import { type Helper, type Share, shareOf, workTogether } from "../../threads.ts";

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

/** How many files a thread checks at a time. */
const some = 512;

interface Files {
  readonly first: number;
  readonly paths: readonly string[];
}

interface Seen {
  readonly first: number;
  /** Four numbers for each file's identity; NaN if the path is not a regular file. */
  readonly numbers: Float64Array;
}

/** Reads the identities of the files in some items. Threads run this task. */
export function statBatch(items: readonly Files[]): Seen[] {
  return items.map(({ first, paths }) => {
    const numbers = new Float64Array(paths.length * identitySize).fill(Number.NaN);
    for (const [place, path] of paths.entries()) {
      try {
        const status = lstatSync(path);
        if (!status.isFile()) continue;
        const { size, modified, changed, inode } = identityOf(status);
        numbers.set([size, modified, changed, inode], place * identitySize);
      } catch {
        // The caller checks this file again, and reports the problem.
      }
    }
    return { first, numbers };
  });
}

/**
 * Returns the identities of files, four numbers for each; NaN if a path is not a regular file.
 * @param fileAt returns the absolute path of each file
 */
export async function identitiesOf(
  count: number,
  fileAt: (place: number) => string,
  helpers: readonly Helper[],
): Promise<Float64Array> {
  const all = new Float64Array(count * identitySize);
  await workTogether(sharesOf(count, fileAt), statBatch, helpers, (seen) => {
    for (const { first, numbers } of seen) all.set(numbers, first * identitySize);
  });
  return all;
}

/** Yields shares of a few files: the paths of all files together, sent to each thread, would take much memory. */
function* sharesOf(count: number, fileAt: (place: number) => string): Generator<Share<Files>> {
  for (let start = 0; start < count; start += 16 * some) {
    const items: Files[] = [];
    for (let first = start; first < Math.min(count, start + 16 * some); first += some) {
      const length = Math.min(some, count - first);
      items.push({ first, paths: Array.from({ length }, (_, place) => fileAt(first + place)) });
    }
    yield shareOf("stat", items, undefined, 1);
  }
}
