/** What is published once a step has been taken: the indexes as they lie there, signed anew by whoever signs from then on. */

import { readFile } from "node:fs/promises";
import { FeedkeyError } from "../error.ts";
import { withLock } from "../files/lock.ts";
import { mainSignature } from "../formats/formats.ts";
import { switchKey } from "../keys/config-edit.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/check/detached.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { type Archive, knownCertificates } from "../publish/archive.ts";
import { layoutOf } from "../publish/feed-layouts.ts";
import { recordsFolder } from "../publish/publish.ts";
import { applyPlans } from "../publish/publish-apply.ts";
import { changesAnything, type FeedPlan, planFeed } from "../publish/publish-plan.ts";
import { readPublished } from "../publish/published-record.ts";
import { signPlans } from "../publish/sign-plans.ts";
import { type Vouchers, vouchersOf } from "../publish/vouched-file.ts";
import { isDelegate, type Own } from "../signing/delegate-check.ts";
import { type PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import { type OwnCertificate, openSigningKey } from "../signing/signing-key.ts";
import { matchesFeed } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** A delegate whose signature is to be shown. */
export interface Delegation {
  readonly delegate: Fingerprint;
  readonly feeds: readonly string[];
}

/** The archive as a step may have left its configuration. */
async function reopened(archive: Archive): Promise<Archive> {
  const { file } = archive.config;
  return { ...archive, config: readArchiveConfig(await readFile(file, "utf8"), file) };
}

/** Whether somebody signs this feed to whom it was delegated: publishing with the archive's key is not what comes next. */
async function isDelegated(folder: PublishedFolder, name: string, bytes: Uint8Array, known: Own): Promise<boolean> {
  const file = await folder.read(name);
  if (file === undefined) return false;
  const keys = await KeyIndex.of([...known.values()].map(({ raw }) => raw));
  try {
    const checked = await checkSignatures(readSignatureFile(file, name), bytes, keys);
    const makers = checked.flatMap((one) => (one.status === "good" ? one.makers : []));
    const signers = makers.flatMap(({ certificate }) => known.get(certificate) ?? []);
    return signers.length > 0 && signers.every(({ facts }) => isDelegate(facts));
  } catch (error) {
    if (error instanceof FeedkeyError) return false;
    throw error;
  }
}

async function planSigning(
  tree: PublishedTree,
  archive: Archive,
  feed: ArchiveFeed,
  key: OwnCertificate,
  vouchers: Vouchers,
): Promise<FeedPlan | undefined> {
  const { config, at } = archive;
  const layout = layoutOf(feed);
  const index = await tree.folder(feed.path).read(layout.signed);
  if (index === undefined) return undefined;
  const text = await layout.textOf(index);
  const terms = { at, validFor: config.validFor, allowEmpty: true, force: false, vouchers };
  return await planFeed(tree, feed, { text, packages: layout.read(text).count }, key, terms);
}

async function signFeeds(
  archive: Archive,
  feeds: readonly ArchiveFeed[],
  key: OwnCertificate,
  known: Own,
): Promise<void> {
  const { config, store, passphrase } = archive;
  const records = recordsFolder(store, config.root);
  const tree = await PublishedTree.open(config.root);
  await withLock(records, async (lock) => {
    const vouchers = await vouchersOf(known, key, config.userId, await readPublished(records));
    const planned = await Promise.all(feeds.map((feed) => planSigning(tree, archive, feed, key, vouchers)));
    const plans = planned.flatMap((plan) => plan ?? []);
    const changed = plans.filter(changesAnything);
    if (changed.length === 0) return;
    const signer = await openSigningKey(store, key.raw.fingerprint, passphrase);
    const wanting = changed.filter(({ sign }) => sign !== undefined);
    const signatures = await signPlans(wanting, signer, config);
    await applyPlans(tree, changed, signatures, [], lock);
  });
}

function unseen({ delegate }: Delegation): FeedkeyError {
  return new FeedkeyError(
    "not_found",
    `the secret key of ${delegate} is not in this key store: who accepts what it signs can't be shown`,
    {
      details: { delegate },
      hint: "what is shown is the feed as it lies there; rehearse where the delegate's key is, with feedkey key import",
    },
  );
}

/** The archive's own feeds, as the next run of `publish` would sign them. */
async function publishAgain(archive: Archive): Promise<void> {
  const { config } = archive;
  // gpg would sign in the user's own home, which is no copy: the indexes stay as they lie there.
  if (config.key.where === "gpg") return;
  const { certificates: known } = await knownCertificates(archive);
  const key = known.get(config.key.fingerprint);
  if (key === undefined) {
    throw new FeedkeyError("not_found", `the certificate of ${config.key.fingerprint} is missing in the key store`);
  }
  const tree = await PublishedTree.open(config.root);
  const own: ArchiveFeed[] = [];
  for (const feed of config.feeds) {
    const folder = tree.folder(feed.path);
    const { signed } = layoutOf(feed);
    const bytes = await folder.read(signed);
    if (bytes !== undefined && !(await isDelegated(folder, mainSignature(signed, feed.signatures), bytes, known)))
      own.push(feed);
  }
  await signFeeds(archive, own, key, known);
}

/**
 * Publishes the copy once more, as it is after a step.
 * @param publishWith key that archive.ini is to name first; undefined: the one that it names
 * @param delegation whose signature is shown instead, on the feeds that it is for
 * @returns what could not be shown; the indexes stay as they lie there then
 */
export async function settle(
  archive: Archive,
  publishWith: Fingerprint | undefined,
  delegation: Delegation | undefined,
): Promise<FeedkeyError[]> {
  const errors: FeedkeyError[] = [];
  const attempt = async (action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
    }
  };
  if (publishWith !== undefined) {
    const { config } = await reopened(archive);
    await switchKey(config.file, config.key.fingerprint, publishWith);
  }
  const present = await reopened(archive);
  await attempt(() => publishAgain(present));
  if (delegation !== undefined) {
    const feeds = present.config.feeds.filter(({ name }) => matchesFeed(name, delegation.feeds));
    const { certificates: known } = await knownCertificates(present);
    const key = known.get(delegation.delegate);
    await attempt(async () => {
      if (key === undefined || !(await present.store.hasPrivate(delegation.delegate))) throw unseen(delegation);
      await signFeeds(present, feeds, key, known);
    });
  }
  return errors;
}
