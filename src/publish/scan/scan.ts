import { availableParallelism } from "node:os";
import type { Spool } from "../../files/spool.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { Helper, type Share, shareOf, workTogether } from "../../threads.ts";
import type { Instant } from "../../time.ts";
import { identitySize } from "./file-identity.ts";
import { errorOf, type ScannedBatch, scanBatch, type ToScan } from "./scan-batch.ts";
import { isSettled, type ScanCache } from "./scan-cache.ts";
import { ScanTable } from "./scan-table.ts";
import { type BadFile, type FoundPackages, findPackages } from "./scan-walk.ts";

export type { ScannedPackage } from "./scan-file.ts";
export type { BadFile } from "./scan-walk.ts";

/** The number of packages that one thread can read while another thread starts. */
const FILES_WORTH_A_THREAD = 200;
/** The number of bytes that one thread can hash while another thread starts. */
const BYTES_WORTH_A_THREAD = 16 << 20;
const MAX_THREADS = 7;
/**
 * The number of files that a thread takes at a time. The number is large, so that feedkey needs few messages, but small enough that all
 * threads end at about the same time.
 */
const BATCH_FILES = 16;
/** The number of files in one message to the threads. */
const SHARE_FILES = 4096;

export interface ScanOptions {
  /** The format, which determines the names of packages and how feedkey reads packages; opkg by default. */
  readonly format?: PublishedFormat;
  /** The results of an earlier scan of the same folder. */
  readonly cache?: ScanCache | undefined;
  /** Called from time to time with the number of scanned packages and the total. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * The number of threads in addition to the calling thread. The default depends on the number of cores and packages, and is at most 7.
   */
  readonly workers?: number;
  /** The machine's clock at the start of the scan; never the reference time (`--at`). */
  readonly now?: Instant;
}

export interface ScanResult {
  /** The scanned packages. Every file with a package's name is either in the table or in `bad`. */
  readonly table: ScanTable;
  /** The files that feedkey can't scan, sorted by the bytes of their paths. */
  readonly bad: readonly BadFile[];
  /** The rows to cache. Omits rows of files that could still change unnoticed. */
  readonly settled: readonly number[];
  /** Whether these rows differ from the cache. */
  readonly isNew: boolean;
}

/** The files found below a folder, and whether the cache knows all of them. */
interface Walked {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
  readonly startedAt: Instant;
  readonly isKnown: boolean;
}

/**
 * Finds the package files below a folder.
 * @throws FeedkeyError `not_found` if the folder is unreadable
 */
export function walkPackages(folder: string, { format, cache, now }: ScanOptions = {}): Walked {
  const startedAt = now ?? Date.now();
  const { found, bad } = findPackages(folder, format);
  return { found, bad, startedAt, isKnown: bad.length === 0 && cache?.isOf(found) === true };
}

/**
 * Hashes every found package file, and reads the file's metadata.
 * @param texts receives the packages' own parts of their stanzas
 * @returns the packages, and the problems with single files
 */
export async function scanPackages(
  { found, bad, startedAt }: Walked,
  texts: Spool,
  { format = "opkg", cache, onProgress, workers }: ScanOptions = {},
): Promise<ScanResult> {
  const table = new ScanTable(found, texts);
  cache?.fill(table);
  const fresh = [...found.paths.keys()].filter((row) => !table.has(row));
  const known = found.count - fresh.length;
  const failed: BadFile[] = [];
  let done = known;
  onProgress?.(done, found.count);
  const onScanned = (batches: readonly ScannedBatch[]) => {
    for (const batch of batches) {
      table.add(batch);
      for (const failure of batch.failed) failed.push({ path: failure.path, error: errorOf(failure) });
      done += batch.rows.length + batch.failed.length;
    }
    onProgress?.(done, found.count);
  };
  const threads = workers ?? defaultThreads(fresh.map((row) => found.identities[row * identitySize] ?? 0));
  const helpers = Array.from({ length: threads }, () => new Helper());
  try {
    await workTogether(sharesOf(found, fresh, format), scanBatch, helpers, onScanned);
  } finally {
    await Promise.all(helpers.map((helper) => helper.end()));
  }
  const unsettled = new Set(fresh.filter((row) => !isSettled(found.at(row).identity, startedAt)));
  const settled = table.rows.filter((row) => !unsettled.has(row));
  // All rows from the cache are unchanged, so it is enough to compare the numbers of rows.
  const isNew = settled.length > known || cache?.count !== known;
  return { table, bad: sortByPath([...bad, ...failed]), settled, isNew };
}

function* sharesOf(found: FoundPackages, rows: readonly number[], format: string): Generator<Share<ToScan>> {
  for (let first = 0; first < rows.length; first += SHARE_FILES) {
    const files = rows.slice(first, first + SHARE_FILES).map((row) => ({ row, found: found.at(row) }));
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
