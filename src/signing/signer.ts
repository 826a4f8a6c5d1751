/** Opens the key that signs for the archive. The key's secret is in the key store, in GnuPG, or on a card. */
import { FeedkeyError } from "../error.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { gpgCertificate, gpgSigner } from "./gpg-key.ts";
import {
  type OwnCertificate,
  openSigningKey,
  ownCertificates,
  type PassphraseSource,
  type SignerOf,
} from "./signing-key.ts";

/** A key, and where its secret is. */
export type KeyPlace = ArchiveConfig["key"];

/**
 * Reads all certificates in the key store and, if the key is in GnuPG, its certificate. Verifies the signatures among these certificates.
 * @throws FeedkeyError `not_found` or `bad_config` if gpg does not export the certificate
 */
export async function certificatesWith(
  store: KeyStore,
  { where, fingerprint }: KeyPlace,
): Promise<Map<Fingerprint, OwnCertificate>> {
  return await ownCertificates(store, where === "gpg" ? [await gpgCertificate(fingerprint)] : []);
}

/**
 * Opens a key for signing documents. The key's secret may be in the key store or in GnuPG.
 * @param own the result of `certificatesWith` for this key
 * @throws FeedkeyError `usage`, `not_found`, `bad_config` or `bad_certificate`, as `openSigningKey` and `gpgCertificate` do
 */
export async function openSigner(
  store: KeyStore,
  key: KeyPlace,
  passphrase: PassphraseSource,
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
): Promise<SignerOf> {
  if (key.where === "store") return await openSigningKey(store, key.fingerprint, passphrase, own);
  const certificate = own.get(key.fingerprint);
  if (certificate !== undefined) return { ...certificate, secret: gpgSigner(key.fingerprint, passphrase) };
  throw new FeedkeyError(
    "bad_certificate",
    `feedkey does not support the kind or the form of the certificate of ${key.fingerprint} in GnuPG`,
    {
      details: { fingerprint: key.fingerprint },
    },
  );
}
