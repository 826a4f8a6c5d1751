/** Whether another store has a copy of a key that is as good as the one that is about to be deleted. */
import { unite } from "../../openpgp/certificate/merge.ts";
import { hasSameSecrets } from "../../openpgp/secret/secret-union.ts";
import { readStored } from "../../signing/stored-certificate.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import { KeyStore } from "../../store/key-store.ts";
import type { Fingerprint } from "../../trust/facts.ts";

/** What of a key another store has. */
export interface Copied {
  /** Every secret, byte for byte: nobody can see otherwise whether a locked one still opens. */
  readonly secret: boolean;
  /** Every packet of the certificate: one that it lacks may be the only revocation. */
  readonly certificate: boolean;
}

/** Compares. A file that both stores share is not a copy. @throws FeedkeyError `bad_config`, `bad_certificate` if one can't be read */
export async function copiedTo(store: KeyStore, fingerprint: Fingerprint, folder: string): Promise<Copied> {
  const other = await KeyStore.open(folder);
  const hasSecret = async () => {
    if (!(await other.hasPrivate(fingerprint)) || !(await store.hasPrivate(fingerprint))) return false;
    // What the file holds must be this key.
    await readStored(other, fingerprint);
    if (await store.shares(other, "private", fingerprint)) return false;
    return await hasSameSecrets(await readSecret(other, fingerprint), await readSecret(store, fingerprint));
  };
  const hasCertificate = async () => {
    if (!(await other.list()).includes(fingerprint)) return false;
    const there = await readStored(other, fingerprint);
    if (await store.shares(other, "certs", fingerprint)) return false;
    return unite(there, await readStored(store, fingerprint)) === there;
  };
  return { secret: await hasSecret(), certificate: await hasCertificate() };
}
