/**
 * Checks whether a file in the published tree is the archive's own file, byte for byte. A file with the right text is not enough. Anyone
 * who can write to the tree could compress the text so that another program reads it differently, and the archive would sign this file. So
 * feedkey signs a file again only if the archive has already published or signed the file for this feed.
 */
import { onRefusal } from "../error.ts";
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

/** The evidence that the archive published or signed a file. */
export interface Vouchers {
  /** The archive's own keys, without revoked keys, because a thief of a retired key can sign with any date. */
  readonly keys: KeyIndex;
  /** The archive's own keys, including retired keys, and the delegates' keys. Clients may have accepted signatures by any of these keys. */
  readonly signers: KeyIndex;
  readonly published: PublishedRecord;
}

/**
 * Collects the evidence.
 * @param known the key store's certificates, and the certificates that they certify
 * @param key the signing key; a delegate's key does not have the archive's user ID
 */
export async function vouchersOf(
  known: Own,
  key: OwnCertificate,
  userId: string,
  published: PublishedRecord,
  at: Instant,
): Promise<Vouchers> {
  // A thief may have made every signature by a hard-revoked key (T3c).
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
    const found = await onRefusal(
      () => presentSignatures(file, signature, held, keys),
      () => [],
    );
    // An expired signature still shows that the archive signed these bytes.
    if (found.some((one) => isGood(one, feed))) return true;
  }
  return false;
}

/**
 * Whether the record, or a signature for this feed beside the file, shows that the file is the archive's own. The record alone is not
 * enough, because the record lacks files that were published with another key store of the archive.
 * @param folder the feed's folder
 * @throws FeedkeyError `bad_path` or `output` if a published signature is unreadable
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
