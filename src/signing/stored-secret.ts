/** Reads secret keys of a key store: the store checks only names, so a file may contain a different key. */
import { FeedkeyError } from "../error.ts";
import { secretParts } from "../openpgp/secret/secret-parts.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";

/**
 * A secret key of a key store, armored, locked or not.
 * @throws FeedkeyError `not_found`; `bad_config` if others have access to the file; `bad_certificate` if the file contains another
 * key, or can't be read
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
