/** An archive opened for work on its keys: configuration, key store, and the certificates in it. */
import { FeedkeyError } from "../error.ts";
import { withLock } from "../files/lock.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import { type BundlePlan, planBundle } from "../signing/bundle.ts";
import { type Known, withPublished } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { certificatesWith } from "../signing/signer.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { recordsFolder } from "./publish.ts";
import { applyPlans } from "./publish-apply.ts";
import { type PublishedRecord, readPublished, recording } from "./published-record.ts";

export interface Archive {
  readonly config: ArchiveConfig;
  readonly store: KeyStore;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
}

/** The certificate of a key in the store. @throws FeedkeyError `not_found` */
export async function ownCertificate(store: KeyStore, fingerprint: Fingerprint): Promise<OwnCertificate> {
  const found = (await ownCertificates(store)).get(fingerprint);
  if (found !== undefined) return found;
  throw new FeedkeyError(
    "not_found",
    `the certificate of ${fingerprint} is missing in the key store "${store.folder}"`,
    {
      details: { fingerprint },
      hint: "bring it back from a backup, or import it with: feedkey key import FILE",
    },
  );
}

/**
 * What is known of the archive's keys: by the key store, and by what is published.
 * @throws FeedkeyError `bad_path`, `output` if the bundle can't be read; `not_found`, `bad_config` if gpg does not give the certificate of a key that stays there
 */
export async function knownCertificates({ config, store }: Archive): Promise<Known> {
  return await withPublished(
    await PublishedTree.open(config.root),
    await certificatesWith(store, config.key),
    config.userId,
  );
}

async function planOwnBundle(archive: Archive): Promise<BundlePlan & { readonly record: PublishedRecord }> {
  const { config, store } = archive;
  const known = await knownCertificates(archive);
  // Without its present key there is no bundle, and a revocation that nobody hears of must not look published.
  const key = known.certificates.get(config.key.fingerprint) ?? (await ownCertificate(store, config.key.fingerprint));
  const record = await readPublished(recordsFolder(store, config.root));
  const tree = await PublishedTree.open(config.root);
  return { ...(await planBundle(tree, known, key, config.userId, record.bundle)), record };
}

/**
 * To be called before anything is made that the bundle must tell of.
 * @throws FeedkeyError `not_found`, `bad_config`, `bad_path`: the bundle could not be written
 */
export async function requireBundle(archive: Archive): Promise<void> {
  await planOwnBundle(archive);
}

/**
 * Writes the bundle anew if it changed.
 * @returns what was done, in words
 * @throws FeedkeyError `not_found`, `bad_config`, `bad_path`, `output`
 */
export async function refreshBundle(archive: Archive): Promise<string[]> {
  const { config, store } = archive;
  const records = recordsFolder(store, config.root);
  return await withLock(records, async (lock) => {
    const { files, notes, record } = await planOwnBundle(archive);
    const tree = await PublishedTree.open(config.root);
    await recording(records, record, [], lock, () => applyPlans(tree, [], new Map(), files, lock));
    return [...files.map(({ path }) => `wrote ${path}`), ...notes];
  });
}
