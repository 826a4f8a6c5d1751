/**
 * Checks whether a file in the published tree is the archive's own, byte for byte. The right text is not enough: anyone who can
 * write to the tree could compress it in a way that another program reads differently, and the archive would sign that. So only
 * files that it published or signed before as this feed's are signed again.
 */
import { FeedkeyError } from "../error.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { claims, type Own } from "../signing/delegate-check.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { type OwnCertificate, withOwnKeys } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import type { DataSignature } from "../trust/facts.ts";
import { effectiveRevocation, isHardRevoked } from "../trust/key-state.ts";
import { refuseWeakHash } from "../trust/policy.ts";
import type { FileToSign, SignedFile } from "./feed-layout.ts";
import { toSign } from "./feed-layouts.ts";
import { isForFeed, presentSignatures } from "./present-signatures.ts";
import { type PublishedRecord, recordEntry } from "./published-record.ts";

/** The evidence that bytes are the archive's. */
export interface Vouchers {
  /** The archive's own keys, as far as they are not revoked, for whatever reason: the thief of a retired one can date as he likes. */
  readonly keys: KeyIndex;
  /** Those retired too, and its delegates': clients may have accepted what they signed. */
  readonly signers: KeyIndex;
  readonly published: PublishedRecord;
}

/**
 * @param known the key store's certificates, and those that these certify
 * @param key the key that will sign: a delegate does not carry the archive's user ID
 */
export async function vouchersOf(
  known: Own,
  key: OwnCertificate,
  userId: string,
  published: PublishedRecord,
  at: Instant,
): Promise<Vouchers> {
  // T3c: every signature of a stolen key may be the thief's.
  const sound = [...known.values()].filter(({ facts }) => !isHardRevoked(facts.revocations));
  const mine = sound.filter(({ raw, facts }) => {
    const isArchives = raw.fingerprint === key.raw.fingerprint || claims(facts, userId);
    return isArchives && effectiveRevocation(facts.revocations, at) === undefined;
  });
  const present = mine.map(({ raw, facts }) => {
    const subkeys = facts.subkeys.filter(({ revocations }) => effectiveRevocation(revocations, at) === undefined);
    return withOwnKeys({ raw, facts: { ...facts, subkeys } });
  });
  return { keys: await KeyIndex.of(present), signers: await KeyIndex.of(sound.map(withOwnKeys)), published };
}

function isGood(signature: DataSignature, feed: string): boolean {
  if (signature.status !== "good") return false;
  return signature.makers.some((maker) => refuseWeakHash(maker) === undefined && isForFeed(maker, feed));
}

async function isSigned(folder: FolderView, feed: string, file: FileToSign, keys: KeyIndex): Promise<boolean> {
  for (const signature of file.signatures) {
    const held = await folder.read(signature.name);
    if (held === undefined) continue;
    try {
      // It may have expired: the archive once signed these bytes.
      const found = await presentSignatures(file, signature, held, keys);
      if (found.some((one) => isGood(one, feed))) return true;
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
    }
  }
  return false;
}

/**
 * Whether the record, or a signature for this feed beside the file, vouches for it. The record alone is not asked: that of one key store does
 * not know what another store of the archive published.
 * @param folder the feed's
 * @throws FeedkeyError `bad_path`, `output` if a signature there can't be read
 */
export async function isOwn(
  feed: ArchiveFeed,
  folder: FolderView,
  file: SignedFile,
  { keys, published }: Vouchers,
): Promise<boolean> {
  const { path, sha256 } = recordEntry(feed, file);
  return (
    published.indexes.get(path)?.includes(sha256) === true ||
    (await isSigned(folder, feed.name, toSign(feed, file), keys))
  );
}
