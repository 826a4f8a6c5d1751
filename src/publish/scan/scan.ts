import { availableParallelism } from "node:os";
import type { PublishedFormat } from "../../profile/types.ts";
import { Helper, shareOf, workTogether } from "../../threads.ts";
import type { Instant } from "../../time.ts";
import { errorOf, type ScanOutcome, scanBatch } from "./scan-batch.ts";
import { isSettled } from "./scan-cache.ts";
import type { CachedPackage, ScanCache } from "./scan-cache-format.ts";
import type { ScannedPackage } from "./scan-file.ts";
import { type BadFile, type FoundPackage, findPackages, sameIdentity } from "./scan-walk.ts";

export type { ScannedPackage } from "./scan-file.ts";
export type { BadFile } from "./scan-walk.ts";

/** As many packages as can be read in the time that a thread takes to start. */
const FILES_WORTH_A_THREAD = 200;
/** As many bytes as can be hashed in that time. */
const BYTES_WORTH_A_THREAD = 16n << 20n;
const MAX_THREADS = 7;
/** Files taken at once: few messages, and an even load at the end. */
const BATCH_FILES = 16;

export interface ScanOptions {
  /** Which files are packages, and how they are read; opkg's by default. */
  readonly format?: PublishedFormat;
  /** The results of an earlier scan of the same folder. */
  readonly cache?: ScanCache;
  /** Called from time to time with the number of finished packages, and the total. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Threads in addition to the calling one. The default depends on cores and packages, at most 7. */
  readonly workers?: number;
  /** The machine's clock at the start, never a reference time. */
  readonly now?: Instant;
}

export interface ScanResult {
  /** Sorted by path, byte by byte. */
  readonly packages: readonly ScannedPackage[];
  /** Sorted likewise. Every file with a package's name is in one of the two lists. */
  readonly bad: readonly BadFile[];
  /** The cache for the next scan; the given object if nothing changed, so that it need not be saved. */
  readonly cache: ScanCache;
}

/**
 * Hashes every package file below a folder and reads its metadata.
 * @throws FeedkeyError `not_found` if the folder can't be read; problems with single files are in the result
 */
export async function scanPackages(folder: string, options: ScanOptions = {}): Promise<ScanResult> {
  const startedAt = options.now ?? Date.now();
  const { format = "opkg" } = options;
  const cache: ScanCache = options.cache ?? new Map();
  const isFirst = cache.size === 0 && options.workers === undefined && availableParallelism() > 1;
  let early: Helper | undefined;
  const { found, bad } = findPackages(folder, format, (count) => {
    // Without a cache, this many files are worth a thread, which starts while further files are found.
    if (isFirst && count >= FILES_WORTH_A_THREAD) early ??= new Helper();
  });
  const { known, fresh } = divide(found, cache);
  const packages = [...known.values()].map(({ scanned }) => scanned);
  const report = () => options.onProgress?.(packages.length + failed.length, found.length);
  const failed: BadFile[] = [];
  report();
  const onOutcomes = (outcomes: readonly ScanOutcome[]) => {
    for (const outcome of outcomes) {
      if (outcome.ok) packages.push(outcome.scanned);
      else failed.push({ path: outcome.path, error: errorOf(outcome.failure) });
    }
    report();
  };
  const threads = options.workers ?? defaultThreads(fresh);
  if (threads === 0) await early?.end();
  const helpers = Array.from({ length: threads }, (_, place) => (place === 0 ? early : undefined) ?? new Helper());
  await workTogether(shareOf("scan", fresh, format, BATCH_FILES), scanBatch, helpers, onOutcomes);
  return {
    packages: sortByPath(packages),
    bad: sortByPath([...bad, ...failed]),
    cache: nextCache(options.cache, known, fresh, packages, startedAt),
  };
}

function divide(found: readonly FoundPackage[], cache: ScanCache) {
  const known = new Map<string, CachedPackage>();
  const fresh: FoundPackage[] = [];
  for (const file of found) {
    const cached = cache.get(file.path);
    if (cached !== undefined && sameIdentity(cached.identity, file.identity)) known.set(file.path, cached);
    else fresh.push(file);
  }
  return { known, fresh };
}

function defaultThreads(files: readonly FoundPackage[]): number {
  const bytes = files.reduce((sum, { identity }) => sum + identity.size, 0n);
  const worth = Math.max(files.length / FILES_WORTH_A_THREAD, Number(bytes / BYTES_WORTH_A_THREAD));
  return files.length < 2 ? 0 : Math.min(availableParallelism() - 1, MAX_THREADS, Math.floor(worth));
}

/** The results, except for files that could still change unnoticed. */
function nextCache(
  given: ScanCache | undefined,
  known: ReadonlyMap<string, CachedPackage>,
  fresh: readonly FoundPackage[],
  packages: readonly ScannedPackage[],
  startedAt: Instant,
): ScanCache {
  const cache = new Map(known);
  const scannedByPath = new Map(packages.map((scanned) => [scanned.path, scanned]));
  for (const { path, identity } of fresh) {
    const scanned = scannedByPath.get(path);
    if (scanned !== undefined && isSettled(identity, startedAt)) cache.set(path, { identity, scanned });
  }
  // The known entries are unchanged, so the size shows whether any were added or removed.
  const unchanged = given !== undefined && cache.size === known.size && given.size === known.size;
  return unchanged ? given : cache;
}

function sortByPath<Item extends { readonly path: string }>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, bytes: Buffer.from(item.path, "utf8") }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item);
}
