/** Builds the indexes of the packages in the feeds' folders. */
import { hash } from "node:crypto";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { largest } from "../../extremes.ts";
import type { Spools } from "../../files/spool.ts";
import type { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { SignedFeed, WrittenFeed } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Instant } from "../../time.ts";
import { takePublished } from "../as-published.ts";
import { IndexForms } from "../index-text/index-forms.ts";
import { type MadeIndex, makeIndex } from "../index-text/make-index.ts";
import type { IndexSource } from "../publish.ts";
import type { IndexText } from "../publish-plan.ts";
import { type MadeRecord, recordsFolder } from "../published-record.ts";
import { warnOfNone } from "../readable-index.ts";
import { lackingNotes } from "./lacking-notes.ts";
import { scanPackages, walkPackages } from "./scan.ts";
import { ScanCache, saveScanCache } from "./scan-cache.ts";

interface ScanTerms {
  /** The absolute path of the archive's root. */
  readonly root: string;
  readonly store: KeyStore;
  /** Whether feedkey must not write anything, not even a cache for the next run. */
  readonly dryRun: boolean;
  readonly onProgress: (feed: string, done: number, total: number) => void;
}

/** Increase this number if a new version of feedkey builds different files from the same packages. */
const recipe = 1;

/** Returns a digest of an index's whole source: all settings, and the packages, by the digest of their cache. */
function sourceOf(feed: WrittenFeed, packages: string): string {
  return hash("sha256", JSON.stringify([recipe, feed, packages]));
}

/**
 * Returns the files of an index in the record, if all these files are published unchanged.
 * @throws FeedkeyError `bad_path` or `output` if a published file is unreadable
 */
async function filesMade(
  { files }: MadeRecord,
  folder: FolderView,
): Promise<ReadonlyMap<string, HashedDocument> | undefined> {
  const found = new Map<string, HashedDocument>();
  for (const [name, sha256] of Object.entries(files)) {
    const document = await folder.document(name);
    if (document?.sha256 !== sha256) return undefined;
    found.set(name, document);
  }
  return found;
}

/**
 * Reads the index that another program wrote.
 * @throws FeedkeyError `not_found` if the index is missing; `bad_index` if clients would refuse the index
 */
async function takeSigned(feed: SignedFeed, folder: FolderView, at: Instant, spools: Spools) {
  const taken = await takePublished(feed, folder, at, spools);
  if (taken !== undefined) {
    return { index: { ...taken.index, notes: warnOfNone(`the index of feed "${feed.name}"`, taken.listed) } };
  }
  throw new FeedkeyError(
    "not_found",
    `feed "${feed.name}" has no ${escapeText(feed.index)} in ${escapeText(folder.path)}`,
    {
      details: { feed: feed.name, folder: folder.path },
      hint: "first run the program that writes this index, then run feedkey publish",
    },
  );
}

/** Returns a source that scans each feed's packages and builds the feed's index. Unchanged packages come from the last run's cache. */
export function scannedIndexes({ root, store, dryRun, onProgress }: ScanTerms): IndexSource {
  const saving: Promise<void>[] = [];
  return {
    eachAlone: false,
    records: "all",
    async take(feed, published, { record, spools, at }) {
      if (feed.packages === undefined) return await takeSigned(feed, published, at, spools);
      const folder = join(root, feed.packages);
      // Feeds in different formats may have their packages in the same folder, but each format needs its own cache.
      const scanned = feed.format === "opkg" ? folder : `${feed.format}:${folder}`;
      const name = `${hash("sha256", scanned).slice(0, 32)}.cache`;
      const file = join(recordsFolder(store, root), name);
      const cache = ScanCache.load(file);
      if (cache !== undefined) spools.closeLater(cache);
      const options = { format: feed.format, cache, onProgress: onProgress.bind(undefined, feed.name) };
      const walked = walkPackages(folder, options);
      const make = async (): Promise<IndexText & MadeIndex> => {
        const scan = await scanPackages(walked, spools.make(), options);
        let digest = scan.isNew ? undefined : cache?.digest;
        // feedkey saves the scan even if it refuses the index later. It writes the cache in the background.
        if (scan.isNew && !dryRun) {
          const kept = await saveScanCache(file, scan.table, scan.settled);
          digest = kept.digest;
          kept.saved.catch(() => undefined);
          saving.push(kept.saved);
        }
        const made = makeIndex(feed, scan.table, spools);
        const bad = [...scan.bad.map(({ error }) => error), ...made.bad];
        const isWhole = bad.length === 0 && scan.settled.length === walked.found.count;
        return {
          ...made,
          bytes: largest([...made.texts.values()].map(({ length }) => length)),
          forms: new IndexForms(async () => made.texts, spools),
          from: isWhole && digest !== undefined ? sourceOf(feed, digest) : undefined,
          notes: lackingNotes(feed, scan.table),
          bad,
        };
      };
      const before = record.made.get(feed.path);
      const isSame = cache !== undefined && walked.isKnown && before?.from === sourceOf(feed, cache.digest);
      const files = isSame ? await filesMade(before, published) : undefined;
      if (!isSame || files === undefined) return { index: await make() };
      return { index: { ...before, forms: new IndexForms(async () => (await make()).texts, spools, files) } };
    },
    async settled() {
      // All writes must end before feedkey reports the first failure.
      await Promise.allSettled(saving);
      await Promise.all(saving);
    },
  };
}
