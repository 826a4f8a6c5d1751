/** Use case: lock a key of the store with another passphrase, or with none. */
import { FeedkeyError } from "../../error.ts";
import { relock } from "../../openpgp/secret/secret-parts.ts";
import { type PassphraseSource, resolveKey } from "../../signing/signing-key.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Fingerprint } from "../../trust/facts.ts";

/**
 * Changes the passphrase of a key; all parts of it that are here have one passphrase afterwards.
 * @param present gives the one that the key has now
 * @param next gives the new one; undefined: the key is not locked any more
 * @throws FeedkeyError `not_found`, `bad_config` if the present one is wrong, `locked` if the key changed meanwhile, `output`
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
      throw new FeedkeyError("locked", `the secret key ${fingerprint} was changed meanwhile by another run`, {
        details: { fingerprint },
        hint: "run the command again",
      });
    }
    await writer.replacePrivate(fingerprint, made);
  });
  return fingerprint;
}
