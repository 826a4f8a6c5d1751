/**
 * Collects what the trust page says before it checks anything: the archive's keys and feeds, according to the files on the keepers'
 * machine.
 */

import { posix } from "node:path";
import { keyToday } from "../../client/status.ts";
import { FeedkeyError } from "../../error.ts";
import { formatOf } from "../../formats/formats.ts";
import { KeyIndex } from "../../openpgp/check/key-index.ts";
import { chainPicture } from "../../picture/chain-picture.ts";
import type { ArchiveFeed, Feed } from "../../profile/types.ts";
import { type Archive, knownCertificates } from "../../publish/archive.ts";
import { rootOf, toSign } from "../../publish/feed-layouts.ts";
import { indexPath } from "../../publish/index-text/make-index.ts";
import { mainSignatures } from "../../publish/present-signatures.ts";
import { Knowledge } from "../../refresh/certificate-pool.ts";
import { feedOf } from "../../rehearse/own-client.ts";
import { claims, type Own } from "../../signing/delegate-check.ts";
import { type FolderView, PublishedTree } from "../../signing/published-tree.ts";
import { byAge } from "../../signing/signing-key.ts";
import { type ExportFormat, readersOf } from "../../stock/exported-keys.ts";
import type { Fingerprint, SignatureFacts } from "../../trust/facts.ts";
import type { TrustSet } from "../../trust/judge.ts";
import { profileOf } from "../check-archive.ts";

/** A key that a client of the archive trusts. */
export interface PageKey {
  readonly fingerprint: Fingerprint;
  readonly userId: string;
  /** The key's role and what the key may do, in words. */
  readonly state: string;
}

export interface PageFeed {
  readonly feed: Feed;
  /** The newest signature over the feed's index by a key of the archive; undefined if no key of the archive signed it. */
  readonly signature: SignatureFacts | undefined;
}

export interface PageFacts {
  readonly name: string;
  readonly keyservers: readonly string[];
  readonly keys: readonly PageKey[];
  /** The picture of the chain, as SVG. */
  readonly picture: string;
  readonly feeds: readonly PageFeed[];
  /** The stock programs that can read at least one of the archive's keys. */
  readonly readers: ReadonlySet<ExportFormat>;
}

/** Returns the archive's name: the user ID without the email address and without words such as "signing key". */
function nameOf(userId: string): string {
  const [, name = ""] = /^([^<>]*?)(?: (?:automatic )?signing key)? *(?:<[^<>]*>)?$/i.exec(userId) ?? [];
  return name.trim() || userId;
}

/** Judges as a client would whose seed is the oldest key that leads to the present key. */
async function judge({ config, at }: Archive, known: Own): Promise<TrustSet> {
  const { userId, key } = config;
  const own = [...known.values()];
  const seeds = own
    .filter(({ facts }) => claims(facts, userId))
    .sort(byAge)
    .map(({ raw }) => raw.fingerprint);
  let last: TrustSet | undefined;
  for (const seed of [...seeds, key.fingerprint]) {
    const knowledge = new Knowledge(
      profileOf(nameOf(userId), seed, { kind: "user-id", userId }),
      own.map(({ raw }) => raw),
    );
    const { trust } = await knowledge.judge(at, new Set(), new Set());
    if (trust.trusted.has(key.fingerprint)) return trust;
    last = trust;
  }
  // If the present key is revoked or in a fork, no seed leads to it, and the picture of the chain shows this.
  if (last !== undefined) return last;
  throw new FeedkeyError("internal", "an archive without a key");
}

const roles = { seed: "first key", successor: "successor", delegate: "delegate" } as const;

function keysOf(trust: TrustSet): PageKey[] {
  return [...trust.trusted].map(([fingerprint, key]) => {
    return { fingerprint, userId: key.userId, state: `${roles[key.role]}, ${keyToday(key, trust).text}` };
  });
}

/** Returns the feed as a client's profile would describe it, so that the client requests everything in the feed. */
function wholeFeed(feed: ArchiveFeed, root: Uint8Array | undefined): Feed {
  const { everything } = formatOf(feed.format);
  const asked = feedOf(feed);
  const name = "x";
  const isFromRoot =
    feed.packages !== undefined && asked.path !== "" && indexPath(feed, name) === posix.join(feed.packages, name);
  return {
    ...asked,
    ...(isFromRoot ? { packages: "archive" } : {}),
    ...(root === undefined ? {} : everything?.(root)),
  };
}

async function pageFeed(feed: ArchiveFeed, folder: FolderView, known: Own, keys: KeyIndex): Promise<PageFeed> {
  const { signed } = rootOf(feed);
  const document = await folder.document(signed);
  const found =
    document === undefined ? [] : await mainSignatures(folder, toSign(feed, { name: signed, document }), keys);
  const good = found.flatMap((one) => (one.status === "good" ? one.makers : []));
  const own = good.filter(({ certificate }) => known.has(certificate));
  const [signature] = own.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
  return { feed: wholeFeed(feed, signature === undefined ? undefined : document?.bytes), signature };
}

/**
 * Reads what the archive has published.
 * @throws FeedkeyError `bad_path`, `bad_index`, `not_found` or `bad_config` if something published can't be used; `output` if a file can't
 * be read
 */
export async function pageFacts(archive: Archive): Promise<PageFacts> {
  const { config } = archive;
  const { certificates } = await knownCertificates(archive);
  const keys = await KeyIndex.of([...certificates.values()].map(({ raw }) => raw));
  const tree = await PublishedTree.open(config.root);
  const feeds: PageFeed[] = [];
  for (const feed of config.feeds) feeds.push(await pageFeed(feed, tree.folder(feed.path).view(), certificates, keys));
  const trust = await judge(archive, certificates);
  const name = nameOf(config.userId);
  const readers = readersOf(trust, (fingerprint) => certificates.get(fingerprint)?.raw);
  const picture = await chainPicture(trust, name);
  return { name, keyservers: config.keyservers, keys: keysOf(trust), picture, feeds, readers };
}
