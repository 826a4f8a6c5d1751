/** Use case: change or remove the passphrase of a key in the store. */
import { FeedkeyError } from "../../error.ts";
import { relock } from "../../openpgp/secret/secret-parts.ts";
import { type PassphraseSource, resolveKey } from "../../signing/signing-key.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Fingerprint } from "../../trust/facts.ts";

/**
 * Changes the passphrase of a key. Afterwards, all parts of the key that are in the store have the same passphrase.
 * @param present returns the present passphrase
 * @param next returns the new passphrase; undefined for no passphrase
 * @throws FeedkeyError `not_found`: when the store does not have the key; `bad_config`: when the present passphrase is wrong;
 * `locked`: when another run changed the key meanwhile; `output`: when the file can't be written
 */
export async function changePassphrase(
  store: KeyStore,
  text: string,
  present: PassphraseSource,
  next: () => Promise<string | undefined>,
): Promise<Fingerprint> {
  const fingerprint = await resolveKey(store, text);
  const before = await readSecret(store, fingerprint);
  const made = await relock(before, () => present(fingerprint), next);
  await store.exclusive(async (writer) => {
    if ((await store.privateKey(fingerprint)) !== before) {
      throw new FeedkeyError(
        "locked",
        `the secret key ${fingerprint} was changed by another run of feedkey at the same time`,
        {
          details: { fingerprint },
          hint: "run the command again",
        },
      );
    }
    await writer.replacePrivate(fingerprint, made);
  });
  return fingerprint;
}
