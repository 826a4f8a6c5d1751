/** An archive opened for work on its keys: configuration, key store, and the certificates in it. */
import { FeedkeyError } from "../error.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { unite } from "../openpgp/merge.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import type { KeyStore } from "../store/key-store.ts";
import { withLock } from "../store/lock.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { bundleCertificates, planBundle, withPublished } from "./bundle.ts";
import { recordsFolder } from "./publish.ts";
import { applyPlans } from "./publish-apply.ts";

import { certificatesWith } from "./signer.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "./signing-key.ts";

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

/** A certificate, armored, with all that the store knows of it already: a revocation above all (T4). */
export async function withStored(store: KeyStore, certificate: RawCertificate): Promise<string> {
  const present = (await ownCertificates(store)).get(certificate.fingerprint)?.raw;
  const whole = present === undefined ? certificate : unite(present, certificate);
  return armor(writeCertificate(whole), "PUBLIC KEY BLOCK");
}

/** Lays new signatures to a certificate of the store; what is there already stays. */
export async function amendStored(store: KeyStore, amended: RawCertificate): Promise<void> {
  await store.putCertificate(amended.fingerprint, await withStored(store, amended));
}

/** Writes the bundle anew if it changed. Returns the files written. @throws FeedkeyError `not_found`, `bad_config`, `output` */
export async function refreshBundle({ config, store }: Archive): Promise<string[]> {
  return await withLock(recordsFolder(store, config.root), async (lock) => {
    const own = await certificatesWith(store, config.key);
    // Without its present key there is no bundle, and a revocation that nobody hears of must not look published.
    const key = own.get(config.key.fingerprint) ?? (await ownCertificate(store, config.key.fingerprint));
    const files = await planBundle(
      config.root,
      bundleCertificates(await withPublished(config.root, own), key, config.userId),
    );
    await applyPlans([], new Map(), files, lock);
    return files.map(({ path }) => path);
  });
}
