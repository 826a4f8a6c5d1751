/** Reads secret keys from a key store. The store checks only file names, so this module checks that a file contains the right key. */
import { FeedkeyError } from "../error.ts";
import { secretParts } from "../openpgp/secret/secret-parts.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";

/**
 * Returns an armored secret key from a key store, with or without a passphrase.
 * @throws FeedkeyError `not_found` if the store does not have the key; `bad_config` if other users have access to the file;
 * `bad_certificate` if the file contains another key or can't be read
 */
export async function readSecret(store: KeyStore, fingerprint: Fingerprint): Promise<string> {
  const armored = await store.privateKey(fingerprint);
  const found = (await secretParts(armored)).fingerprint;
  if (found === fingerprint) return armored;
  throw new FeedkeyError(
    "bad_certificate",
    `private/${fingerprint}.asc in the key store "${store.folder}" contains another key, ${found}`,
    { details: { fingerprint, found, path: store.folder }, hint: "restore the file from a backup" },
  );
}
