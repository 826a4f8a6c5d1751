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

/** As many packages as can be read in the time that a thread takes to start. */
const FILES_WORTH_A_THREAD = 200;
/** As many files as can be looked at in that time. */
const LOOKS_WORTH_A_THREAD = 8000;
/** As many bytes as can be hashed in that time. */
const BYTES_WORTH_A_THREAD = 16 << 20;
const MAX_THREADS = 7;
/** Files taken at once: few messages, and an even load at the end. */
const BATCH_FILES = 16;
/** Files that threads are told of at once. */
const SHARE_FILES = 4096;

export interface ScanOptions {
  /** Which files are packages, and how they are read; opkg's by default. */
  readonly format?: PublishedFormat;
  /** What an earlier scan of the same folder saw. */
  readonly cache?: ScanCache | undefined;
  /** Called now and then with the number of packages that are done, and the total. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Threads in addition to the calling one. The default depends on cores and packages, at most 7. */
  readonly workers?: number;
  /** The machine's clock at the start, never a reference time. */
  readonly now?: Instant;
}

export interface ScanResult {
  /** Every file with a package's name is in it, or in `bad`. */
  readonly table: ScanTable;
  /** Sorted by path, byte by byte. */
  readonly bad: readonly BadFile[];
  /** Rows to be remembered: not those of files that could still change unnoticed. */
  readonly settled: readonly number[];
  /** Whether they differ from what the cache has. */
  readonly isNew: boolean;
}

/** What there is below a folder, and whether the cache knows it all. */
export interface Walked {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
  readonly startedAt: Instant;
  /** Threads that were started meanwhile. */
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
  // Without a cache all files are read.
  const worth = cache === undefined ? FILES_WORTH_A_THREAD : LOOKS_WORTH_A_THREAD;
  const helpers: Helper[] = [];
  const { found, bad } = await findPackages(folder, format, (count) => {
    // It starts while the other files are being found.
    if (workers > 0 && count >= worth && helpers.length === 0) helpers.push(new Helper());
    return count >= LOOKS_WORTH_A_THREAD ? helpers : [];
  });
  return { found, bad, startedAt, helpers, isKnown: bad.length === 0 && cache?.isOf(found) === true };
}

/**
 * Hashes every package file that was found and reads its metadata.
 * @param texts takes the packages' own parts of their stanzas
 * @returns problems with single files beside the packages
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
  /** Of the files that threads were told of last. */
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
  // Those known are unchanged, so the number shows whether any were added or removed.
  const isNew = settled.length > known || cache?.count !== known;
  return { table, bad: sortByPath([...bad, ...failed]), settled, isNew };
}

/** Ends threads that nothing is left for. */
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
