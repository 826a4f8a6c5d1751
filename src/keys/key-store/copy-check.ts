/** Checks whether another store has a complete copy of a key, before the key is deleted. */
import { unite } from "../../openpgp/certificate/merge.ts";
import { hasSameSecrets } from "../../openpgp/secret/secret-union.ts";
import { readStored } from "../../signing/stored-certificate.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import { KeyStore } from "../../store/key-store.ts";
import type { Fingerprint } from "../../trust/facts.ts";

/** The result of a comparison: which parts of a key another store has. */
interface Copied {
  /**
   * Whether the other store has every secret, byte for byte. A locked copy with other bytes may have another passphrase, so such a
   * copy does not count.
   */
  readonly secret: boolean;
  /** Whether the other store has every packet of the certificate. A missing packet may be the only revocation. */
  readonly certificate: boolean;
}

/**
 * Compares the copies of a key in two stores. A file that both stores share does not count as a copy.
 * @throws FeedkeyError `bad_config` or `bad_certificate`: when a copy can't be read
 */
export async function copiedTo(store: KeyStore, fingerprint: Fingerprint, folder: string): Promise<Copied> {
  const other = await KeyStore.open(folder);
  const hasSecret = async () => {
    if (!(await other.hasPrivate(fingerprint)) || !(await store.hasPrivate(fingerprint))) return false;
    // Reading the certificate checks that the file contains this key.
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
