/** Signs indexes that another program wrote, after checking that clients will accept the signatures. */
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { type HeldLock, withLock } from "../files/lock.ts";
import { defaultValidFor } from "../profile/read-archive.ts";
import type { ArchiveConfig, ArchiveFeed } from "../profile/types.ts";
import { filesOf, rootOf } from "../publish/feed-layouts.ts";
import { type KeysAround, signersBeside } from "../publish/feed-signers.ts";
import { recordSigned, recordsFolder } from "../publish/published-record.ts";
import type { SignedFiles, SignedIndex } from "../publish/sign-index.ts";
import { signIndexFiles } from "../publish/sign-index.ts";
import { uploadTarget, withUpload } from "../publish/upload/with-upload.ts";
import type { Reporter } from "../refresh/session.ts";
import type { Own } from "../signing/delegate-check.ts";
import { keyOf } from "../signing/load-config.ts";
import { withPublished } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { certificatesWith, type KeyPlace, openSigner } from "../signing/signer.ts";
import type { SignerOf } from "../signing/signing-key.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refuseOffProfile } from "./check-signer.ts";
import { warnOfSigner } from "./ends-ahead.ts";
import type { SignOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** Finds the feed in `archive.ini` that the files belong to, by the feed's name or by the files' path. */
async function feedOf(
  config: ArchiveConfig | undefined,
  name: string | undefined,
  indexes: readonly string[],
): Promise<ArchiveFeed | undefined> {
  if (config === undefined) return undefined;
  if (name !== undefined) return config.feeds.find((feed) => feed.name === name);
  const real = async (path: string) => await realpath(path).catch(() => undefined);
  const [only, ...others] = new Set(indexes);
  const folder = only === undefined || others.length > 0 ? undefined : await real(dirname(only));
  for (const feed of folder === undefined ? [] : config.feeds) {
    const isIndex = [rootOf(feed).signed, `${rootOf(feed).signed}.new`].includes(basename(only ?? ""));
    if (isIndex && (await real(join(config.root, feed.path))) === folder) return feed;
  }
  return undefined;
}

/**
 * Opens the keys that the options name, and sorts them by age, the oldest first. Keys of version 6 come last, because apt's
 * gpgv ignores all signatures after a signature of version 6.
 */
async function namedKeys(opened: Opened, key: SignerOf, also: readonly string[]): Promise<KeysAround<SignerOf>> {
  const { store, passphrase } = opened;
  const others: SignerOf[] = [];
  for (const other of also.map(keyOf)) {
    others.push(await openSigner(store, other, passphrase, await certificatesWith(store, other)));
  }
  refuseTwice([key, ...others]);
  const rank = ({ facts: { primary } }: SignerOf) => (primary.version === 6 ? 1 : 0);
  const isOlder = (one: SignerOf) =>
    (rank(one) - rank(key) || one.facts.primary.createdAt - key.facts.primary.createdAt) < 0;
  const sorted = others.toSorted((a, b) => rank(a) - rank(b) || a.facts.primary.createdAt - b.facts.primary.createdAt);
  return { key, before: sorted.filter(isOlder), after: sorted.filter((one) => !isOlder(one)) };
}

/** Opens the keys that sign during a rotation: the archive's key, and its successor or predecessor. */
async function rotationKeys(
  opened: Opened,
  key: SignerOf,
  own: Own,
  userId: string,
  reporter: Reporter,
): Promise<KeysAround<SignerOf>> {
  const { store, at, passphrase } = opened;
  const { before, after, missing } = await signersBeside(own, key, userId, store, at);
  for (const why of missing) reporter.warn(`not signed by both keys of the rotation: ${why}`);
  const open = async ({ raw }: Pick<SignerOf, "raw">) =>
    await openSigner(store, { where: "store", fingerprint: raw.fingerprint }, passphrase, own);
  const [older, newer] = [[], []] as [SignerOf[], SignerOf[]];
  for (const one of before) older.push(await open(one));
  for (const one of after) newer.push(await open(one));
  return { key, before: older, after: newer };
}

function placeOf(key: string | undefined, config: ArchiveConfig | undefined): KeyPlace {
  if (key !== undefined) return keyOf(key);
  if (config !== undefined) return config.key;
  throw new FeedkeyError("usage", "no key given", {
    hint: "give the key that signs with --key FINGERPRINT, or the archive with --config archive.ini",
  });
}

interface OfArchive extends Pick<Opened, "store" | "at"> {
  readonly config: ArchiveConfig;
  readonly force: boolean;
}

/** Signs the files of a feed in the archive, and records the new index. If the archive is in an object store, uploads the changes. */
async function signOfArchive(
  { store, at, force, config }: OfArchive,
  feed: ArchiveFeed,
  indexes: readonly string[],
  sign: () => Promise<SignedFiles>,
): Promise<SignedFiles> {
  const { root } = config;
  const records = recordsFolder(store, root);
  const isOurs = feed.packages !== undefined;
  const record = async ({ files: [file] }: SignedFiles, lock: HeldLock) => {
    if (isOurs || file === undefined) return;
    await recordSigned(records, feed, { name: feed.index, document: file.document }, lock);
  };
  // If the file has a temporary name, another program will rename the file later, and the next `publish` uploads it.
  const isInPlace = indexes.some((path) => basename(path) === rootOf(feed).signed);
  const target = isInPlace ? uploadTarget(config) : undefined;
  if (target === undefined) {
    const made = await sign();
    if (!isOurs) await withLock(records, (lock) => record(made, lock));
    return made;
  }
  return await withLock(records, async (lock) => {
    return await withUpload({ target, root, records, lock, at, force }, async () => {
      const made = await sign();
      await record(made, lock);
      return { ...made, applied: true };
    });
  });
}

/** Signs each index. @throws FeedkeyError `usage`, `not_found`, `output`; the code of the reason if the key may not sign */
export async function signIndexes(
  opened: Opened,
  indexes: readonly string[],
  options: SignOptions,
  reporter: Reporter,
): Promise<{
  readonly key: Fingerprint;
  readonly signed: readonly SignedIndex[];
  readonly errors: readonly FeedkeyError[];
}> {
  const { addChecksums = false, clearsign = false, force = false, alsoKeys = [] } = options;
  const { store, at } = opened;
  const config = (await opened.found())?.config;
  const place = placeOf(options.key, config);
  const archiveFeed = await feedOf(config, options.feed, indexes);
  const feed = options.feed ?? archiveFeed?.name;
  if (options.key === undefined && feed === undefined) {
    throw new FeedkeyError(
      "usage",
      `no feed in archive.ini has all of these indexes: ${indexes.map((one) => escapeText(one)).join(", ")}`,
      {
        details: { indexes },
        hint: "name the feed with --feed, or the key with --key FINGERPRINT",
      },
    );
  }
  const stored = await certificatesWith(store, place);
  const tree = archiveFeed && config && (await PublishedTree.open(config.root));
  // The published bundle may contain a revocation that another key store made.
  const own = tree && config ? (await withPublished(tree, stored, config.userId)).certificates : stored;
  const key = await openSigner(store, place, opened.passphrase, own);
  const byRotation = config !== undefined && options.key === undefined && alsoKeys.length === 0;
  const keys = byRotation
    ? await rotationKeys(opened, key, own, config.userId, reporter)
    : await namedKeys(opened, key, alsoKeys);
  const profile = await opened.profile();
  const feeds = feed === undefined ? [] : [feed];
  await refuseOffProfile({ store, at, profile }, place, feeds, own);
  for (const also of alsoKeys.map(keyOf)) {
    await refuseOffProfile({ store, at, profile }, also, feeds, await certificatesWith(store, also));
  }
  const notationDomain = options.notationDomain ?? config?.notationDomain;
  const form = options.form ?? archiveFeed?.signatures ?? "both";
  const validFor = options.validFor === "archive's" ? (config?.validFor ?? defaultValidFor) : options.validFor;
  const feedAt = archiveFeed &&
    tree && {
      feed: archiveFeed,
      folder: tree.folder(archiveFeed.path).view(),
      signatures: filesOf(archiveFeed).slice(1),
    };
  const terms = { at, feed, notationDomain, addChecksums, framed: clearsign, form, force, own, feedAt };
  const severally = alsoKeys.length > 0;
  const sign = async () => await signIndexFiles(indexes, keys, { ...terms, severally, validFor });
  const { signed, warnings } =
    config === undefined || archiveFeed === undefined
      ? await sign()
      : await signOfArchive({ store, at, force, config }, archiveFeed, indexes, sign);
  const page = archiveFeed === undefined ? { errors: [] } : await opened.refreshPage();
  for (const warning of warnings) reporter.warn(warning);
  await warnOfSigner(opened, place, own, options, reporter);
  return { key: key.raw.fingerprint, signed, errors: page.errors };
}

function refuseTwice(keys: readonly SignerOf[]): void {
  const names = keys.map(({ raw }) => raw.fingerprint);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice === undefined) return;
  throw new FeedkeyError("usage", `key ${twice} appears twice`, {
    hint: "give each key only once: either with --key or with --also-key",
  });
}
