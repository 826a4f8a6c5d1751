/** Signs the feeds that both keys of a rotation sign, whenever the signers change. Also shows the state of the feeds. */
import { FeedkeyError, onRefusal, orRefusal } from "../../error.ts";
import { KeyIndex } from "../../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import { type Archive, publicationOf } from "../../publish/archive.ts";
import { latestIndexes } from "../../publish/as-published.ts";
import { rootOf, toSign } from "../../publish/feed-layouts.ts";
import { clientsNeed, type SeveralSignatures, severalOf } from "../../publish/feed-signers.ts";
import { mainSignatures } from "../../publish/present-signatures.ts";
import { type Published, publishFeeds } from "../../publish/publish.ts";
import { PublishedTree } from "../../signing/published-tree.ts";
import { type OwnCertificate, ownCertificates } from "../../signing/signing-key.ts";
import type { Fingerprint } from "../../trust/facts.ts";

/** Returns the feeds of an archive that several keys may sign. */
export function sharedFeeds({ config }: Archive): readonly ArchiveFeed[] {
  return config.feeds.filter((feed) => severalOf(feed) !== "one");
}

/** Returns one line for each feed that a publication signs. */
export function signedWords({ plans }: Pick<Published, "plans">, verb: "sign" | "signed"): string[] {
  const wanting = plans.filter(({ sign }) => sign !== undefined);
  return wanting.map(({ feed, signers }) => `${verb} feed "${feed.name}" with ${signers.join(" and ")}`);
}

/**
 * Publishes the shared feeds without the bundle.
 * @param by further keys: an index with a signature by one of these keys is the archive's own index
 */
export async function publishShared(
  archive: Archive,
  by: readonly OwnCertificate[],
  dryRun: boolean,
): Promise<Published> {
  const terms = { feeds: sharedFeeds(archive), source: latestIndexes(by), withBundle: false, dryRun };
  return await publishFeeds({ ...publicationOf(archive), ...terms });
}

/** The result of signing the shared feeds again. */
interface SharedFeeds {
  /** Sentences that describe what was done. */
  readonly done: readonly string[];
  readonly left: readonly FeedkeyError[];
}

/** Signs the shared feeds again after a step that changed the signing keys. An error here does not undo the step. */
export async function signShared(archive: Archive, by: readonly OwnCertificate[]): Promise<SharedFeeds> {
  if (sharedFeeds(archive).length === 0) return { done: [], left: [] };
  const published = await orRefusal(() => publishShared(archive, by, false));
  if (published instanceof FeedkeyError) return { done: [], left: [published] };
  return { done: [...signedWords(published, "signed"), ...published.notes], left: published.left };
}

/** The state of a feed in a rotation. */
export interface FeedOutlook {
  readonly name: string;
  /** How the feed's stock clients treat several signatures. */
  readonly several: SeveralSignatures;
  /** Keys in the key store with a good signature over the published index, in the order of the signatures. */
  readonly signedBy: readonly Fingerprint[];
  /** What the feed's stock clients need before a new key signs alone. */
  readonly needs: string;
}

async function signedBy(archive: Archive, feed: ArchiveFeed, keys: KeyIndex): Promise<Fingerprint[]> {
  const { signed } = rootOf(feed);
  const folder = (await PublishedTree.open(archive.config.root)).folder(feed.path);
  const document = await folder.document(signed);
  if (document === undefined) return [];
  const found = await mainSignatures(folder, toSign(feed, { name: signed, document }), keys);
  return found.flatMap((one) => (one.status === "good" ? one.makers.slice(0, 1) : [])).map((one) => one.certificate);
}

/** Returns the state of each feed of an archive. @throws FeedkeyError `bad_config`: when the key store can't be read */
export async function feedOutlooks(archive: Archive): Promise<FeedOutlook[]> {
  const keys = await KeyIndex.of([...(await ownCertificates(archive.store)).values()].map(({ raw }) => raw));
  const outlooks: FeedOutlook[] = [];
  for (const feed of archive.config.feeds) {
    const by = await onRefusal(
      () => signedBy(archive, feed, keys),
      () => [],
    );
    outlooks.push({ name: feed.name, several: severalOf(feed), signedBy: by, needs: clientsNeed(feed) });
  }
  return outlooks;
}
