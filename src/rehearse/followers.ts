/**
 * Finds the keys that each stock client must know to accept a published feed. This depends on who signed the feed, and on which of several
 * signatures the client checks.
 */
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { type Archive, knownCertificates } from "../publish/archive.ts";
import { rootOf, toSign } from "../publish/feed-layouts.ts";
import { mainSignatures } from "../publish/present-signatures.ts";
import type { Own } from "../signing/delegate-check.ts";
import { type FolderView, PublishedTree } from "../signing/published-tree.ts";
import type { Instant } from "../time.ts";
import type { DataSignature, Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import type { StockClient } from "./stock-client.ts";
import { stockClients } from "./stock-clients.ts";

export interface Follower {
  readonly feed: string;
  readonly client: string;
  /** Whether the client must know any one of the keys, or all of them. */
  readonly needs: "any" | "all";
  /** The keys that the client must know. If the list is empty, the client refuses the feed whichever keys of the archive it knows. */
  readonly keys: readonly Fingerprint[];
}

/**
 * Returns the signer of a signature; undefined if the signature is bad or expired, or if its signer is not a key of the archive that
 * clients can accept now.
 */
function signerOf(signature: DataSignature, known: Own, at: Instant): Fingerprint | undefined {
  const [maker] = signature.status === "good" ? signature.makers : [];
  const own = maker && known.get(maker.certificate);
  if (maker === undefined || own === undefined || (maker.expiresAt ?? at + 1) <= at) return undefined;
  return refusePrimary(own.facts, at) === undefined ? maker.certificate : undefined;
}

/** Returns the signers of a feed; undefined if the feed is not published. */
async function signersOf(
  feed: ArchiveFeed,
  folder: FolderView,
  { known, keys, at }: { readonly known: Own; readonly keys: KeyIndex; readonly at: Instant },
): Promise<readonly (Fingerprint | undefined)[] | undefined> {
  const { signed } = rootOf(feed);
  const document = await folder.document(signed);
  if (document === undefined) return undefined;
  const signatures = await mainSignatures(folder, toSign(feed, { name: signed, document }), keys);
  return signatures.map((signature) => signerOf(signature, known, at));
}

function keysFor(
  needs: NonNullable<StockClient["needs"]>,
  signers: readonly (Fingerprint | undefined)[],
): readonly Fingerprint[] {
  const counted = { any: signers, all: signers, first: signers.slice(0, 1), last: signers.slice(-1) }[needs];
  const keys = [...new Set(counted.flatMap((key) => key ?? []))];
  return needs !== "any" && counted.includes(undefined) ? [] : keys;
}

/**
 * Returns the keys that each stock client must know, for each published feed. No client is run, so the client need not be installed.
 * @throws FeedkeyError `bad_path` or `output` if the published tree can't be read
 */
export async function followersOf(archive: Archive): Promise<Follower[]> {
  const { config, at } = archive;
  const { certificates } = await knownCertificates(archive);
  const keys = await KeyIndex.of([...certificates.values()].map(({ raw }) => raw));
  const tree = await PublishedTree.open(config.root);
  const found: Follower[] = [];
  for (const feed of config.feeds) {
    const signers = await signersOf(feed, tree.folder(feed.path), { known: certificates, keys, at });
    if (signers === undefined) continue;
    for (const { name, needs, reads } of stockClients) {
      if (needs === undefined || !reads(feed.format)) continue;
      found.push({
        feed: feed.name,
        client: name,
        needs: needs === "any" ? "any" : "all",
        keys: keysFor(needs, signers),
      });
    }
  }
  return found;
}
