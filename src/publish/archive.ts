/** Publishes an archive, and reads its certificates. An archive has a configuration and a key store. */
import { FeedkeyError } from "../error.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import { type Known, withPublished } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { certificatesWith } from "../signing/signer.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { type IndexSource, type Publication, type Published, publishFeeds } from "./publish.ts";
import { told, uploadTarget } from "./upload/with-upload.ts";

export interface Archive {
  readonly config: ArchiveConfig;
  readonly store: KeyStore;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
}

/**
 * Returns the certificate of a key in the key store.
 * @throws FeedkeyError `not_found` if the key store does not have the certificate
 */
export async function ownCertificate(store: KeyStore, fingerprint: Fingerprint): Promise<OwnCertificate> {
  const found = (await ownCertificates(store)).get(fingerprint);
  if (found !== undefined) return found;
  throw new FeedkeyError(
    "not_found",
    `the certificate of ${fingerprint} is missing from the key store "${store.folder}"`,
    {
      details: { fingerprint },
      hint: "restore the certificate from a backup, or import it with: feedkey key import FILE",
    },
  );
}

/**
 * Returns all known certificates of the archive, from the key store and the published key bundle.
 * @throws FeedkeyError `bad_path`, `output` if the key bundle is unreadable; `not_found`, `bad_config` if gpg does not export the
 * certificate of a key whose secret is in GnuPG
 */
export async function knownCertificates({ config, store }: Archive): Promise<Known> {
  return await withPublished(
    await PublishedTree.open(config.root),
    await certificatesWith(store, config.key),
    config.userId,
  );
}

/** The archive's settings for publishing. They do not include the choice of feeds and packages to publish. */
type OwnPublication = Omit<Publication, "feeds" | "source" | "withBundle" | "dryRun">;

/** Returns the settings with which the archive publishes, from its configuration. */
export function publicationOf({ config, store, at, passphrase }: Archive): OwnPublication {
  const { root, userId, key, validFor, notationDomain } = config;
  const lenient = { skipBad: false, allowEmpty: true, force: false };
  const target = uploadTarget(config);
  return { root, target, userId, key, validFor, notationDomain, store, at, passphrase, ...lenient };
}

const noIndexes: IndexSource = { eachAlone: true, records: "known", take: async () => undefined };

/**
 * Publishes only the key bundle. Throws if the present key is missing. Otherwise feedkey could report an unpublished revocation as
 * published.
 */
async function publishBundle(archive: Archive, dryRun: boolean): Promise<Published> {
  return await publishFeeds({ ...publicationOf(archive), feeds: [], source: noIndexes, withBundle: true, dryRun });
}

/**
 * Checks that feedkey can write the key bundle. Callers run this check before they make anything that the bundle must contain.
 * @returns whether feedkey must write the bundle even if nothing else changes
 * @throws FeedkeyError `not_found`, `bad_config` or `bad_path` if feedkey could not write the bundle
 */
export async function requireBundle(archive: Archive): Promise<boolean> {
  return (await publishBundle(archive, true)).bundle.length > 0;
}

/**
 * Writes the key bundle if it has changed.
 * @returns sentences about the changes
 * @throws FeedkeyError `not_found`, `bad_config`, `bad_path` or `output` if feedkey can't write the bundle
 */
export async function refreshBundle(archive: Archive): Promise<string[]> {
  const { bundle, notes, upload } = await publishBundle(archive, false);
  return [...bundle.map(({ path }) => `wrote ${path}`), ...notes, ...(upload === undefined ? [] : told(upload))];
}
