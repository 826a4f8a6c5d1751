/**
 * The only code that publishes. For each feed, this code takes the index, plans the changes, signs the index, puts the files in place and
 * records the files. It also publishes the key bundle.
 */
import { dirname } from "node:path";
import { FeedkeyError, onRefusal } from "../error.ts";
import { escapeText } from "../escape.ts";
import { type HeldLock, withLock } from "../files/lock.ts";
import { Spools } from "../files/spool.ts";
import { bundlePath } from "../profile/layout.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { type BundleFile, planBundle } from "../signing/bundle.ts";
import { isDelegate, type Own, refuseBeyondDelegation } from "../signing/delegate-check.ts";
import { withPublished } from "../signing/published-bundle.ts";
import { type FolderView, PublishedTree } from "../signing/published-tree.ts";
import { certificatesWith, type KeyPlace, openSigner } from "../signing/signer.ts";
import { type OwnCertificate, type PassphraseSource, resolveKey, type SignerOf } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint, UserIdFacts } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { filesOf } from "./feed-layouts.ts";
import { signersBeside, signersOf } from "./feed-signers.ts";
import { signFile } from "./index-signature.ts";
import { applyPlans, type SignedPlan } from "./publish-apply.ts";
import { changesAnything, type FeedPlan, type IndexText, planFeed } from "./publish-plan.ts";
import { type PublishedRecord, readPublished, recording, recordsFolder } from "./published-record.ts";
import { type BucketUpload, type UploadTarget, withUpload } from "./upload/with-upload.ts";
import { vouchersOf } from "./vouched-file.ts";

/** The data that feedkey gives to an index source. */
export interface Publishing {
  /** All certificates of the archive, from the key store and the published key bundle. */
  readonly certificates: Own;
  /** The key that will sign the indexes. */
  readonly key: OwnCertificate;
  readonly userId: string;
  readonly record: PublishedRecord;
  readonly at: Instant;
  /** Temporary files for data that does not fit in memory. */
  readonly spools: Spools;
}

/** A feed's new index, or the delegate that signs the feed; undefined if the source has no index for the feed. */
type Taken = { readonly index: IndexText } | { readonly delegate: Fingerprint } | undefined;

/** Where the indexes come from: scanned packages, or the published indexes. */
export interface IndexSource {
  /**
   * Whether feedkey publishes each feed independently. If so, an error in one feed leaves this feed unchanged, and feedkey still publishes
   * the other feeds. feedkey always publishes feeds independently if another program writes their index.
   */
  readonly eachAlone: boolean;
  /** Which indexes to record. `known`: only indexes that the record already has, because other programs write the other indexes. */
  readonly records: "all" | "known";
  take(feed: ArchiveFeed, folder: FolderView, publishing: Publishing): Promise<Taken>;
  /** Waits until all writes have ended; rejects if a write failed. */
  settled?(): Promise<void>;
}

export interface Publication {
  /** The object store to upload to; undefined if clients read the root itself. */
  readonly target?: UploadTarget | undefined;
  /** The absolute path of the archive's root folder. */
  readonly root: string;
  /** The feeds to publish. If the list is empty, feedkey writes only the key bundle. */
  readonly feeds: readonly ArchiveFeed[];
  readonly source: IndexSource;
  readonly validFor: Duration;
  readonly notationDomain?: string | undefined;
  /** The signing key, and whether the key's secret is in the key store or in GnuPG. */
  readonly key: KeyPlace;
  /** The archive's user ID. Undefined means the key's first user ID. */
  readonly userId: string | undefined;
  readonly store: KeyStore;
  readonly passphrase: PassphraseSource;
  readonly at: Instant;
  /** Whether to write the key bundle too. */
  readonly withBundle: boolean;
  readonly skipBad: boolean;
  readonly allowEmpty: boolean;
  /** Whether to replace signatures that other programs wrote. */
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Throws if the key store's certificates forbid this publication. feedkey calls this function before any other work. */
  readonly permit?: (own: Own) => Promise<void>;
}

export interface PublishResult {
  /** The changes in the object store, if the archive is published in an object store. */
  readonly upload?: BucketUpload;
  readonly plans: readonly FeedPlan[];
  readonly bundle: readonly BundleFile[];
  /** Notes for the keepers, as sentences. */
  readonly notes: readonly string[];
  /** An error for each damaged package. With `--skip-bad`, feedkey omitted these packages. Otherwise feedkey published nothing. */
  readonly bad: readonly FeedkeyError[];
  readonly applied: boolean;
}

/** The result of a publication, with more data for feedkey's own code. */
export interface Published extends PublishResult {
  /** The feeds that a delegate signs. feedkey did not change these feeds. */
  readonly delegated: readonly { readonly feed: string; readonly delegate: Fingerprint }[];
  /** For each feed that stays unchanged, an error with the reason. */
  readonly left: readonly FeedkeyError[];
  /** The key store's certificates that this publication has read. */
  readonly own: Own;
}

/**
 * Throws unless the key is the archive's own, or a delegate of the archive for all these feeds.
 * @throws FeedkeyError `revoked`, `expired`, `untrusted_signer`... if clients would refuse the key; `bad_config` if the key does not belong
 * to the archive
 */
function refuseKey(own: Own, { facts }: OwnCertificate, { userId, feeds, at }: Publication): void {
  const { fingerprint } = facts.primary;
  const refused = refusePrimary(facts, at);
  if (refused !== undefined) {
    throw new FeedkeyError(refused.code, `can't publish with ${fingerprint}: ${refused.reason}`, {
      details: { fingerprint },
      hint:
        refused.code === "expired"
          ? `extend the key with: feedkey key extend ${fingerprint} --expires 2y`
          : "clients would refuse every index that this key signs: choose the archive's present key",
    });
  }
  const names = feeds.map(({ name }) => name);
  refuseBeyondDelegation(own, fingerprint, names, userId, at);
  const is = ({ bytes }: UserIdFacts) => userId === undefined || matchesIdentity(bytes, { kind: "user-id", userId });
  if (isDelegate(facts) || facts.userIds.some(is)) return;
  const called = facts.userIds.map(({ text }) => `"${escapeText(text)}"`).join(", ");
  throw new FeedkeyError("bad_config", `key ${fingerprint} is not a key of the archive: its user ID is ${called}`, {
    details: { fingerprint, expected: userId },
    hint: `archive.ini says user-id = ${userId}: choose a key with this user ID; if the key is a delegate, first import the copy of its certificate that contains the delegation: feedkey key import FILE`,
  });
}

/** Returns the error for a feed that feedkey did not sign. */
function leftError({ name }: ArchiveFeed, key: Fingerprint, cause: FeedkeyError): FeedkeyError {
  return new FeedkeyError(cause.code, `the index of feed "${name}" was NOT signed with ${key}: ${cause.message}`, {
    details: { feed: name, key },
    hint: "look at the published feed, then run feedkey publish, or feedkey sign if another program writes the index",
    cause,
  });
}

function foreignError({ name }: ArchiveFeed, cause: FeedkeyError): FeedkeyError {
  const { code, message, details, hint } = cause;
  return new FeedkeyError(code, `feed "${name}" stays unchanged: ${message}`, {
    details: { ...details, feed: name },
    hint,
    cause,
  });
}

/** Returns the signing key's certificate with all known packets. @throws FeedkeyError `not_found` if the certificate is missing */
function keyOf(certificates: Own, own: Own, fingerprint: Fingerprint, { folder }: KeyStore): OwnCertificate {
  // The published certificate may contain a revocation from another key store.
  const found = certificates.get(fingerprint) ?? own.get(fingerprint);
  if (found !== undefined) return found;
  throw new FeedkeyError("not_found", `the certificate of ${fingerprint} is missing from the key store "${folder}"`, {
    details: { fingerprint },
    hint: "restore the certificate from a backup, or import it with: feedkey key import FILE",
  });
}

interface Planned extends Omit<Published, "applied"> {
  readonly record: PublishedRecord;
  /** The certificates from the key store and from the published key bundle. The bundle may have a revocation that the key store lacks. */
  readonly certificates: Own;
  /** Whether damaged packages prevent the whole publication. */
  readonly stopped: boolean;
}

/** Plans everything. Changes only the caches of the index sources. */
async function plan(tree: PublishedTree, publication: Publication, records: string, spools: Spools): Promise<Planned> {
  const { feeds, source, store, at } = publication;
  const { where, fingerprint } = publication.key;
  const own = await certificatesWith(store, publication.key);
  await publication.permit?.(own);
  // If feedkey publishes only the key bundle, the key need not be able to sign.
  const signs = feeds.length > 0 || !source.eachAlone;
  const signing = where === "gpg" || !signs ? fingerprint : await resolveKey(store, fingerprint);
  const userId = publication.userId ?? own.get(signing)?.facts.userIds[0]?.text ?? "";
  const { certificates, strangers } = await withPublished(tree, own, userId);
  const key = keyOf(certificates, own, signing, store);
  if (signs) refuseKey(certificates, key, publication);
  const record = await readPublished(records);
  const { files: bundle, notes: ofBundle } = publication.withBundle
    ? await planBundle(tree, { certificates, strangers }, key, userId, record.bundle)
    : { files: [], notes: [] };

  const left: FeedkeyError[] = [];
  /** Runs an action for one feed; returns undefined if the feed stays unchanged because of an error. */
  const alone = async <Result>(feed: ArchiveFeed, action: () => Promise<Result>): Promise<Result | undefined> => {
    return await onRefusal(action, (error) => {
      if (source.eachAlone) left.push(leftError(feed, signing, error));
      else if (feed.packages === undefined) left.push(foreignError(feed, error));
      else throw error;
      return undefined;
    });
  };
  const publishing = { certificates, key, userId, record, at, spools };
  const taken = [];
  for (const feed of feeds) {
    const folder = tree.folder(feed.path).view();
    taken.push({ feed, folder, found: await alone(feed, () => source.take(feed, folder, publishing)) });
  }
  const delegated = taken.flatMap(({ feed, found }) => {
    return found !== undefined && "delegate" in found ? [{ feed: feed.name, delegate: found.delegate }] : [];
  });
  const indexes = taken.flatMap(({ found }) => (found !== undefined && "index" in found ? [found.index] : []));
  const bad = indexes.flatMap((index) => index.bad ?? []);
  const notes = [...ofBundle, ...indexes.flatMap((index) => index.notes ?? [])];
  if (bad.length > 0 && !publication.skipBad) {
    return { plans: [], bundle: [], notes, bad, left, delegated, own, record, certificates, stopped: true };
  }
  const keys = await signersBeside(certificates, key, userId, store, at);
  const vouchers = await vouchersOf(certificates, key, userId, record, at);
  const terms = { ...publication, vouchers, signers: signersOf(certificates, key, userId, at) };
  const plans: FeedPlan[] = [];
  for (const { feed, folder, found } of taken) {
    if (found === undefined || !("index" in found)) continue;
    const planned = await alone(feed, () => planFeed(tree, feed, folder, found.index, keys, terms));
    if (planned !== undefined) plans.push(planned);
  }
  const warnings = [...notes, ...plans.flatMap((one) => one.warnings)];
  return { plans, bundle, notes: warnings, bad, left, delegated, own, record, certificates, stopped: false };
}

/** Creates the planned signatures, puts all files in place, and records the indexes. */
async function carryOut(
  tree: PublishedTree,
  { plans, bundle, record, certificates }: Planned,
  publication: Publication,
  records: string,
  lock: HeldLock,
): Promise<void> {
  const { store, key, passphrase, source, withBundle, validFor, notationDomain } = publication;
  const changed = plans.filter(changesAnything);
  const opened = new Map<Fingerprint, SignerOf>();
  for (const name of new Set(changed.flatMap(({ sign, signers }) => (sign === undefined ? [] : signers)))) {
    const place = name === key.fingerprint ? key : ({ where: "store", fingerprint: name } as const);
    opened.set(name, await openSigner(store, place, passphrase, certificates));
  }
  const signed: SignedPlan[] = [];
  for (const plan of changed) {
    const options = { at: plan.date, validFor, feed: plan.feed.name, notationDomain };
    const keys = plan.signers.flatMap((name) => opened.get(name) ?? []);
    const signatures = [];
    for (const file of plan.sign === undefined ? [] : plan.signed) signatures.push(await signFile(file, keys, options));
    signed.push({ plan, signatures });
  }
  // A killed run may also have left temporary files where this run changes nothing.
  for (const { folder, feed, made } of plans) {
    await folder.removeLeftovers([...filesOf(feed), ...Object.keys(made?.files ?? {})]);
  }
  if (withBundle) await tree.folder(dirname(bundlePath)).removeLeftovers([]);
  const what = { plans, only: source.records, withBundle };
  await recording(records, record, what, lock, () => applyPlans(signed, { tree, bundle, lock }));
}

/**
 * Publishes feeds, the key bundle, or both, for `publish`, rotations and revocations. Rehearsals publish a copy of the archive. If a
 * package is damaged, publishes nothing. With `skipBad`, omits damaged packages, but the caller must still report these packages.
 * @throws FeedkeyError `not_found`, `bad_config`, `bad_package`, `bad_path`, `would_break`, `revoked`..., `output`, `locked`
 */
export async function publishFeeds(publication: Publication): Promise<Published> {
  const { feeds, source, dryRun } = publication;
  const tree = await PublishedTree.open(publication.root);
  // feedkey checks the published paths early, before it reads thousands of packages.
  for (const feed of source.eachAlone ? [] : feeds) {
    if (feed.packages !== undefined) await tree.folder(feed.path).refuseOdd(filesOf(feed));
  }
  const records = recordsFolder(publication.store, publication.root);
  const run = async (lock: HeldLock | undefined): Promise<Published> => {
    const spools = new Spools();
    try {
      const { record, stopped, certificates, ...planned } = await plan(tree, publication, records, spools);
      await source.settled?.();
      const applied = lock !== undefined && !stopped;
      if (applied) await carryOut(tree, { ...planned, record, certificates, stopped }, publication, records, lock);
      return { ...planned, applied };
    } finally {
      // Even after an error, all writes must end before feedkey closes the temporary files.
      await source.settled?.().catch(() => undefined);
      spools.close();
    }
  };
  if (dryRun) return await run(undefined);
  return await withLock(records, async (lock) => await withUpload({ ...publication, records, lock }, () => run(lock)));
}
