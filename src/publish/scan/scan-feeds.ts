/** Makes indexes of the packages in the feeds' folders. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { SignedFeed } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Instant } from "../../time.ts";
import { takePublished } from "../as-published.ts";
import type { IndexSource } from "../publish.ts";
import { makeIndex } from "../publish-plan.ts";
import { recordsFolder } from "../published-record.ts";
import { warnOfNone } from "../readable-index.ts";
import { lackingNotes } from "./lacking-notes.ts";
import { scanPackages } from "./scan.ts";
import { loadScanCache, saveScanCache } from "./scan-cache.ts";

export interface ScanTerms {
  /** The archive's, absolute. */
  readonly root: string;
  readonly store: KeyStore;
  /** Save no cache for the next run. */
  readonly dryRun: boolean;
  readonly onProgress: (feed: string, done: number, total: number) => void;
}

/** The existing index that another program wrote. @throws FeedkeyError `not_found`; `bad_index` if clients would refuse it */
async function takeSigned(feed: SignedFeed, folder: FolderView, at: Instant) {
  const taken = await takePublished(feed, folder, at);
  if (taken !== undefined) {
    return { index: taken.index, notes: warnOfNone(`the index of feed "${feed.name}"`, taken.listed) };
  }
  throw new FeedkeyError(
    "not_found",
    `feed "${feed.name}" has no ${escapeText(feed.index)} in ${escapeText(folder.path)}`,
    {
      details: { feed: feed.name, folder: folder.path },
      hint: "let the program that writes it run first, then feedkey publish",
    },
  );
}

/** Scans each feed's packages and makes its index. What did not change since the last run is taken from a cache. */
export function scannedIndexes({ root, store, dryRun, onProgress }: ScanTerms): IndexSource {
  const saving: Promise<void>[] = [];
  return {
    eachAlone: false,
    records: "all",
    async take(feed, published, { at }) {
      if (feed.packages === undefined) return await takeSigned(feed, published, at);
      const folder = join(root, feed.packages);
      // Both formats may share a folder, but not a cache.
      const scanned = feed.format === "opkg" ? folder : `${feed.format}:${folder}`;
      const name = `${createHash("sha256").update(scanned).digest("hex").slice(0, 32)}.cache`;
      const cacheFile = join(recordsFolder(store, root), name);
      const { format } = feed;
      const cache = await loadScanCache(cacheFile);
      const scan = await scanPackages(folder, { format, cache, onProgress: onProgress.bind(undefined, feed.name) });
      // Not awaited here; the scan results are worth saving even if the index fails.
      if (!dryRun) {
        const saved = saveScanCache(cacheFile, scan.cache);
        saved.catch(() => undefined);
        saving.push(saved);
      }
      const index = makeIndex(feed, scan.packages);
      const bad = [...scan.bad.map(({ error }) => error), ...index.bad];
      return { index: { ...index, bad }, notes: lackingNotes(feed, scan.packages) };
    },
    async settled() {
      // Wait for all of them before the first failure is reported.
      await Promise.allSettled(saving);
      await Promise.all(saving);
    },
  };
}
