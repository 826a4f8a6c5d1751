import { availableParallelism } from "node:os";
import type { Spool } from "../../files/spool.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { Helper, type Share, shareOf, workTogether } from "../../threads.ts";
import type { Instant } from "../../time.ts";
import { errorOf, type ScanOutcome, scanBatch } from "./scan-batch.ts";
import { isSettled, type ScanCache } from "./scan-cache.ts";
import { ScanTable } from "./scan-table.ts";
import { type BadFile, type FoundPackage, type FoundPackages, findPackages } from "./scan-walk.ts";

export type { ScannedPackage } from "./scan-file.ts";
export type { BadFile } from "./scan-walk.ts";

/** The number of packages that one thread can read in the time that another thread takes to start. */
const FILES_WORTH_A_THREAD = 200;
/** The number of files whose state one thread can check in the time that another thread takes to start. */
const LOOKS_WORTH_A_THREAD = 8000;
/** The number of bytes that one thread can hash in the time that another thread takes to start. */
const BYTES_WORTH_A_THREAD = 16 << 20;
const MAX_THREADS = 7;
/** How many files a thread takes at once: enough for few messages, and few enough for an even load at the end. */
const BATCH_FILES = 16;
/** How many files one message to the threads names. */
const SHARE_FILES = 4096;

export interface ScanOptions {
  /** The format, which tells which files are packages and how to read them. By default opkg. */
  readonly format?: PublishedFormat;
  /** The results of an earlier scan of the same folder. */
  readonly cache?: ScanCache | undefined;
  /** Called from time to time with the number of scanned packages and the total. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Number of threads beside the calling thread. The default depends on cores and packages, at most 7. */
  readonly workers?: number;
  /** The time of the machine's clock at the start, never a reference time. */
  readonly now?: Instant;
}

export interface ScanResult {
  /** The scanned packages. Every file with a package's name is in the table or in `bad`. */
  readonly table: ScanTable;
  /** The files that can't be scanned, sorted by the bytes of their paths. */
  readonly bad: readonly BadFile[];
  /** Rows to cache. Rows of files that could still change unnoticed are not among these. */
  readonly settled: readonly number[];
  /** Whether the settled rows differ from the cache. */
  readonly isNew: boolean;
}

/** The files found below a folder, and whether the cache knows all of them. */
export interface Walked {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
  readonly startedAt: Instant;
  /** Threads that the walk has started. */
  readonly helpers: Helper[];
  readonly isKnown: boolean;
}

/**
 * Finds the package files below a folder.
 * @throws FeedkeyError `not_found` if the folder can't be read
 */
export async function walkPackages(folder: string, options: ScanOptions = {}): Promise<Walked> {
  const startedAt = options.now ?? Date.now();
  const { format, cache, workers = availableParallelism() - 1 } = options;
  // Without a cache, the scan reads all files.
  const worth = cache === undefined ? FILES_WORTH_A_THREAD : LOOKS_WORTH_A_THREAD;
  const helpers: Helper[] = [];
  const { found, bad } = await findPackages(folder, format, (count) => {
    // The thread starts while the walk finds more files.
    if (workers > 0 && count >= worth && helpers.length === 0) helpers.push(new Helper());
    return count >= LOOKS_WORTH_A_THREAD ? helpers : [];
  });
  return { found, bad, startedAt, helpers, isKnown: bad.length === 0 && cache?.isOf(found) === true };
}

/**
 * Hashes every found package file and reads the package's metadata.
 * @param texts receives the packages' own parts of their stanzas
 * @returns the packages, and the problems with single files
 */
export async function scanPackages(
  { found, bad, startedAt, helpers }: Walked,
  texts: Spool,
  { format = "opkg", cache, onProgress, workers }: ScanOptions = {},
): Promise<ScanResult> {
  const table = new ScanTable(found, texts);
  cache?.fill(table);
  const fresh = [...found.paths.keys()].filter((row) => !table.has(row));
  const known = found.count - fresh.length;
  /** The row of each file that the last message to the threads named. */
  let rowOf: ReadonlyMap<string, number> = new Map();
  const failed: BadFile[] = [];
  let done = known;
  onProgress?.(done, found.count);
  const onOutcomes = (outcomes: readonly ScanOutcome[]) => {
    for (const outcome of outcomes) {
      if (outcome.ok) table.set(rowOf.get(outcome.scanned.path) ?? 0, outcome.scanned);
      else failed.push({ path: outcome.path, error: errorOf(outcome.failure) });
    }
    done += outcomes.length;
    onProgress?.(done, found.count);
  };
  const threads = workers ?? defaultThreads(fresh.map((row) => found.at(row).identity.size));
  while (helpers.length < threads) helpers.push(new Helper());
  try {
    const shares = sharesOf(found, fresh, format, (rows) => {
      rowOf = new Map(rows.map((row) => [found.paths[row] ?? "", row]));
    });
    await workTogether(shares, scanBatch, helpers.slice(0, threads), onOutcomes);
  } finally {
    await endAll(helpers);
  }
  const unsettled = new Set(fresh.filter((row) => !isSettled(found.at(row).identity, startedAt)));
  const settled = table.rows.filter((row) => !unsettled.has(row));
  // Known packages are unchanged, so their number shows whether packages were added or removed.
  const isNew = settled.length > known || cache?.count !== known;
  return { table, bad: sortByPath([...bad, ...failed]), settled, isNew };
}

/** Ends threads that have nothing left to do. */
export async function endAll(helpers: Helper[]): Promise<void> {
  await Promise.all(helpers.splice(0).map((helper) => helper.end()));
}

function* sharesOf(
  found: FoundPackages,
  rows: readonly number[],
  format: string,
  onShare: (rows: readonly number[]) => void,
): Generator<Share<FoundPackage>> {
  for (let first = 0; first < rows.length; first += SHARE_FILES) {
    const those = rows.slice(first, first + SHARE_FILES);
    onShare(those);
    const files = those.map((row) => found.at(row));
    yield shareOf("scan", files, format, BATCH_FILES);
  }
}

function defaultThreads(sizes: readonly number[]): number {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const worth = Math.max(sizes.length / FILES_WORTH_A_THREAD, bytes / BYTES_WORTH_A_THREAD);
  return sizes.length < 2 ? 0 : Math.min(availableParallelism() - 1, MAX_THREADS, Math.floor(worth));
}

function sortByPath(items: readonly BadFile[]): BadFile[] {
  return items
    .map((item) => ({ item, bytes: Buffer.from(item.path, "utf8") }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item);
}
