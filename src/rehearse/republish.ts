/** Publishes the unchanged indexes again after a step, signed by the key that signs from then on. */

import { readFile } from "node:fs/promises";
import { FeedkeyError, orRefusal } from "../error.ts";
import { switchKey } from "../keys/config-edit.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import { type Archive, publicationOf } from "../publish/archive.ts";
import { takePublished } from "../publish/as-published.ts";
import type { FileToSign } from "../publish/feed-layout.ts";
import { toSign } from "../publish/feed-layouts.ts";
import { mainSignatures } from "../publish/present-signatures.ts";
import { type IndexSource, publishFeeds } from "../publish/publish.ts";
import { isDelegate, type Own } from "../signing/delegate-check.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { matchesFeed } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** A delegation whose delegate signs in the rehearsal. */
export interface Delegation {
  readonly delegate: Fingerprint;
  readonly feeds: readonly string[];
}

/** Reads the archive's configuration again, because the step may have changed it. */
async function reopened(archive: Archive): Promise<Archive> {
  const { file } = archive.config;
  return { ...archive, config: readArchiveConfig(await readFile(file, "utf8"), file) };
}

/** Tells whether only delegates have signed this feed. The archive's own key does not publish such a feed. */
async function isDelegated(folder: FolderView, file: FileToSign, known: Own): Promise<boolean> {
  const keys = await KeyIndex.of([...known.values()].map(({ raw }) => raw));
  const checked = await mainSignatures(folder, file, keys);
  const makers = checked.flatMap((one) => (one.status === "good" ? one.makers : []));
  const signers = makers.flatMap(({ certificate }) => known.get(certificate) ?? []);
  return signers.length > 0 && signers.every(({ facts }) => isDelegate(facts));
}

function unseen({ delegate }: Delegation): FeedkeyError {
  return new FeedkeyError(
    "not_found",
    `the secret key of ${delegate} is not in this key store, so the rehearsal can't show which clients accept its signature`,
    {
      details: { delegate },
      hint: "the result shows only how clients judge the present signatures; to see how they would judge new signatures, import the delegate's key with feedkey key import, then run the rehearsal again",
    },
  );
}

/**
 * Returns a source that gives the published indexes.
 * @param whose if `archive's`, the source leaves out feeds that only delegates signed
 */
function publishedIndexes(whose: "archive's" | "delegate's"): IndexSource {
  return {
    eachAlone: false,
    records: "all",
    async take(feed, folder, { certificates, spools, at }) {
      const taken = await takePublished(feed, folder, at, spools);
      if (taken === undefined) return undefined;
      if (whose === "archive's" && (await isDelegated(folder, toSign(feed, taken.file), certificates)))
        return undefined;
      return { index: taken.index };
    },
  };
}

/** Signs and publishes the archive's own feeds as the next run of `publish` would. */
async function publishAgain(archive: Archive): Promise<void> {
  const { config } = archive;
  // gpg would use the user's real GnuPG home, not a copy of it. So the rehearsal does not sign these indexes again.
  if (config.key.where === "gpg") return;
  const [source, feeds] = [publishedIndexes("archive's"), config.feeds];
  try {
    const { left } = await publishFeeds({ ...publicationOf(archive), feeds, source, withBundle: true, dryRun: false });
    for (const error of left) throw error;
  } catch (error) {
    // After the present key was revoked, `publish` fails until archive.ini names another key. Until then, clients get the old indexes.
    const isOfKey = error instanceof FeedkeyError && error.details.fingerprint === config.key.fingerprint;
    if (!isOfKey || error.code !== "revoked") throw error;
  }
}

/** Signs and publishes feeds as their delegate would. */
async function publishAsDelegate(archive: Archive, delegation: Delegation): Promise<void> {
  const { config, store } = archive;
  if (!(await store.hasPrivate(delegation.delegate))) throw unseen(delegation);
  const feeds = config.feeds.filter(({ name }) => matchesFeed(name, delegation.feeds));
  const key = { where: "store", fingerprint: delegation.delegate } as const;
  const source = publishedIndexes("delegate's");
  await publishFeeds({ ...publicationOf(archive), key, feeds, source, withBundle: false, dryRun: false });
}

/**
 * Publishes the copy again after a step.
 * @param publishWith the key to put into archive.ini first; undefined keeps the present key
 * @param delegation if given, its delegate signs the feeds that it may sign
 * @returns the errors; after an error, the indexes are unchanged
 */
export async function settle(
  archive: Archive,
  publishWith: Fingerprint | undefined,
  delegation: Delegation | undefined,
): Promise<FeedkeyError[]> {
  const errors: FeedkeyError[] = [];
  const attempt = async (action: () => Promise<void>) => {
    const refusal = await orRefusal(action);
    if (refusal instanceof FeedkeyError) errors.push(refusal);
  };
  if (publishWith !== undefined) {
    const { config } = await reopened(archive);
    await switchKey(config.file, config.key.fingerprint, publishWith);
  }
  const present = await reopened(archive);
  await attempt(() => publishAgain(present));
  if (delegation !== undefined) await attempt(() => publishAsDelegate(present, delegation));
  return errors;
}
