/** Use case: scan the packages, write and sign the indexes and the key bundle, all swapped in together. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { type HeldLock, withLock } from "../files/lock.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { type BundleFile, planBundle } from "../signing/bundle.ts";
import { isDelegate, type Own, refuseBeyondDelegation } from "../signing/delegate-check.ts";
import { withPublished } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { certificatesWith, type KeyPlace, openSigner } from "../signing/signer.ts";
import { type OwnCertificate, type PassphraseSource, resolveKey } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Duration, Instant } from "../time.ts";
import type { UserIdFacts } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { layoutOf } from "./feed-layouts.ts";
import type { FileSignatures } from "./index-signature.ts";
import { lackingNotes } from "./lacking-notes.ts";
import { applyPlans } from "./publish-apply.ts";
import { changesAnything, type FeedPlan, makeIndex, planFeed } from "./publish-plan.ts";
import { readPublished, recording } from "./published-record.ts";
import { scanPackages } from "./scan/scan.ts";
import { loadScanCache, saveScanCache } from "./scan/scan-cache.ts";
import { signPlans } from "./sign-plans.ts";
import { vouchersOf } from "./vouched-file.ts";

export interface PublishOptions {
  /** Absolute. */
  readonly root: string;
  readonly feeds: readonly ArchiveFeed[];
  readonly validFor: Duration;
  readonly notationDomain?: string | undefined;
  /** The key that signs: of the key store, or one that stays in GnuPG. */
  readonly key: KeyPlace;
  /** The archive's user ID; undefined: whatever the key's own says. */
  readonly userId: string | undefined;
  readonly store: KeyStore;
  readonly passphrase: PassphraseSource;
  readonly at: Instant;
  readonly skipBad: boolean;
  readonly allowEmpty: boolean;
  /** Replace signatures of other programs. */
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly onProgress: (feed: string, done: number, total: number) => void;
}

export interface PublishResult {
  readonly plans: readonly FeedPlan[];
  readonly bundle: readonly BundleFile[];
  /** What its keepers should hear of, in words. */
  readonly notes: readonly string[];
  /** Packages that were left out (`--skip-bad`), or for which nothing was published. */
  readonly bad: readonly FeedkeyError[];
  readonly applied: boolean;
}

/** Where records about an archive lie: with its keys, never inside what is published. */
export function recordsFolder(store: KeyStore, root: string): string {
  return join(store.folder, "archives", createHash("sha256").update(root).digest("hex").slice(0, 32));
}

/**
 * The key must be the archive's, or a delegate of it for all these feeds.
 * @throws FeedkeyError `revoked`, `expired`, `untrusted_signer`..., `bad_config` if it is neither
 */
function refuseKey(own: Own, { facts }: OwnCertificate, { userId, feeds, at }: PublishOptions): void {
  const { fingerprint } = facts.primary;
  const refused = refusePrimary(facts, at);
  if (refused !== undefined) {
    throw new FeedkeyError(refused.code, `can't publish with ${fingerprint}: ${refused.reason}`, {
      details: { fingerprint },
      hint:
        refused.code === "expired"
          ? `extend it with: feedkey key extend ${fingerprint} --expires 2y`
          : "clients would refuse every index that it signs: choose the archive's present key",
    });
  }
  const names = feeds.map(({ name }) => name);
  refuseBeyondDelegation(own, fingerprint, names, userId, at);
  const is = ({ bytes }: UserIdFacts) => userId === undefined || matchesIdentity(bytes, { kind: "user-id", userId });
  if (isDelegate(facts) || facts.userIds.some(is)) return;
  const called = facts.userIds.map(({ text }) => `"${escapeText(text)}"`).join(", ");
  throw new FeedkeyError("bad_config", `key ${fingerprint} is not the archive's: it is called ${called}`, {
    details: { fingerprint, expected: userId },
    hint: `archive.ini says user-id = ${userId}; a delegate first imports what it was certified by: feedkey key import FILE`,
  });
}

/** Before thousands of packages are read. @throws FeedkeyError `bad_path` */
async function refuseOdd(tree: PublishedTree, feeds: readonly ArchiveFeed[]): Promise<void> {
  for (const feed of feeds) {
    const { signed } = layoutOf(feed);
    await tree.folder(feed.path).refuseOdd([signed, `${signed}.asc`, `${signed}.sig`]);
  }
}

/**
 * Scans one feed's packages and makes its index.
 * @param saving is told what is still being written
 */
async function indexFeed(feed: ArchiveFeed, options: PublishOptions, records: string, saving: Promise<void>[]) {
  const folder = join(options.root, feed.packages);
  // Both formats may lie in one folder: what is remembered of each is of no use to the other.
  const scanned = feed.format === "opkg" ? folder : `${feed.format}:${folder}`;
  const cacheFile = join(records, `${createHash("sha256").update(scanned).digest("hex").slice(0, 32)}.cache`);
  const cache = await loadScanCache(cacheFile);
  const scan = await scanPackages(folder, {
    format: feed.format,
    cache,
    onProgress: (done, total) => options.onProgress(feed.name, done, total),
  });
  // Nothing waits for the disk here; and what was scanned is worth keeping whatever comes of the index.
  if (!options.dryRun) {
    const saved = saveScanCache(cacheFile, scan.cache);
    saved.catch(() => undefined);
    saving.push(saved);
  }
  const made = makeIndex(feed, scan.packages);
  const bad = [...scan.bad.map(({ error }) => error), ...made.bad];
  return { feed, made: { ...made, bad }, notes: lackingNotes(feed, scan.packages) };
}

async function sign(plans: readonly FeedPlan[], options: PublishOptions): Promise<Map<string, FileSignatures>> {
  const wanting = plans.filter((plan) => plan.sign !== undefined);
  if (wanting.length === 0) return new Map();
  return await signPlans(wanting, await openSigner(options.store, options.key, options.passphrase), options);
}

async function publishLocked(
  tree: PublishedTree,
  options: PublishOptions,
  records: string,
  lock: HeldLock | undefined,
): Promise<PublishResult> {
  const saving: Promise<void>[] = [];
  try {
    return await publishSaving(tree, options, records, lock, saving);
  } finally {
    // However it ends, nothing is being written any more afterwards.
    await Promise.allSettled(saving);
  }
}

async function publishSaving(
  tree: PublishedTree,
  options: PublishOptions,
  records: string,
  lock: HeldLock | undefined,
  saving: Promise<void>[],
): Promise<PublishResult> {
  const { feeds, store, userId } = options;
  const { where, fingerprint } = options.key;
  const own = await certificatesWith(store, options.key);
  const mine = own.get(where === "gpg" ? fingerprint : await resolveKey(store, fingerprint));
  if (mine === undefined) {
    throw new FeedkeyError("not_found", `the certificate of ${fingerprint} is missing in the key store`);
  }
  const name = userId ?? mine.facts.userIds[0]?.text ?? "";
  const known = await withPublished(tree, own, name);
  // What is published says more where another key store has revoked it.
  const key = known.certificates.get(mine.raw.fingerprint) ?? mine;
  refuseKey(known.certificates, key, options);
  const record = await readPublished(records);
  const { files: bundle, notes: ofBundle } = await planBundle(tree, known, key, name, record.bundle);
  const indexed = [];
  for (const feed of feeds) indexed.push(await indexFeed(feed, options, records, saving));
  const bad = indexed.flatMap(({ made }) => made.bad);
  const notes = [...ofBundle, ...indexed.flatMap((one) => one.notes)];
  if (bad.length > 0 && !options.skipBad) {
    await Promise.all(saving);
    return { plans: [], bundle: [], notes, bad, applied: false };
  }
  const terms = { ...options, vouchers: await vouchersOf(known.certificates, key, name, record) };
  const plans: FeedPlan[] = [];
  for (const { feed, made } of indexed) plans.push(await planFeed(tree, feed, made, key, terms));
  await Promise.all(saving);
  const warnings = [...notes, ...plans.flatMap((plan) => plan.warnings)];
  if (lock === undefined) return { plans, bundle, notes: warnings, bad, applied: false };
  const signatures = await sign(plans, options);
  const changed = plans.filter(changesAnything);
  await recording(records, record, plans, lock, () => applyPlans(tree, changed, signatures, bundle, lock));
  return { plans, bundle, notes: warnings, bad, applied: true };
}

/**
 * Publishes. Bad packages stop it, unless they are to be skipped; then the caller still has to report them.
 * @throws FeedkeyError `not_found`, `bad_config`, `bad_package`, `bad_path`, `revoked`..., `output`, `locked`
 */
export async function publish(options: PublishOptions): Promise<PublishResult> {
  const tree = await PublishedTree.open(options.root);
  await refuseOdd(tree, options.feeds);
  const records = recordsFolder(options.store, options.root);
  if (options.dryRun) return await publishLocked(tree, options, records, undefined);
  return await withLock(records, (lock) => publishLocked(tree, options, records, lock));
}
