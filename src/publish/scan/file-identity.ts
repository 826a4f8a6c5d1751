/** Whether files have changed; of many at once on several cores, since that is most of what a run takes that changes nothing. */
import { lstatSync, type Stats } from "node:fs";
import { type Helper, type Share, shareOf, workTogether } from "../../threads.ts";

/**
 * What identifies an unchanged file: size in bytes, times in milliseconds since 1970. Numbers tell times apart that differ by a
 * quarter of a microsecond, far finer than the clock that files get their times from.
 */
export interface FileIdentity {
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
  readonly inode: number;
}

/** Numbers of an identity. */
export const identitySize = 4;

/** The identity that a stat shows. */
export function identityOf({ size, mtimeMs, ctimeMs, ino }: Stats): FileIdentity {
  return { size, modified: mtimeMs, changed: ctimeMs, inode: ino };
}

/** Whether the file is unchanged between the two looks. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}

/** Files that are looked at by one thread at a time. */
const some = 512;

interface Files {
  readonly first: number;
  readonly paths: readonly string[];
}

interface Seen {
  readonly first: number;
  /** The identity of each; NaN where there is no plain file. */
  readonly numbers: Float64Array;
}

/** Looks at the files of some items: a task of the threads. */
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
        // Whoever asked looks again, and says what is wrong.
      }
    }
    return { first, numbers };
  });
}

/**
 * The identities of files, four numbers for each; NaN where there is no plain file.
 * @param fileAt the absolute path of each
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

/** A few at a time: the paths of all files at once, sent to each thread, take much memory. */
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
