/** Use case: export a secret key for GnuPG or another key store, with its current certificate. */

import { FeedkeyError } from "../../error.ts";
import { armorCertificates } from "../../openpgp/certificate/certificate.ts";
import { secretParts, withoutPrimary } from "../../openpgp/secret/secret-parts.ts";
import { withPath } from "../../signing/delegate-check.ts";
import { ownCertificates, resolveKey } from "../../signing/signing-key.ts";
import { readStored } from "../../signing/stored-certificate.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Fingerprint } from "../../trust/facts.ts";

export interface SecretExportOptions {
  /** Whether to leave out the primary secret, for example for a machine that only signs. */
  readonly withoutPrimary?: boolean | undefined;
  /** The program that will read the export. A key that this program can't read is refused. */
  readonly for?: "gpg" | undefined;
}

export interface SecretExport {
  readonly fingerprint: Fingerprint;
  /** Two armored blocks: the secret key, locked as it is in the store, and the certificates of the keys on its path. */
  readonly armored: string;
  readonly isLocked: boolean;
}

/**
 * Exports a secret key. The self-signatures in the store's secret file may be old, so the export also has the current certificate.
 * @throws FeedkeyError `usage`: when no secret would be left, or GnuPG can't read the key; `not_found`: when the store does not
 * have the key; `bad_config`: when the key can't be read
 */
export async function exportSecret(store: KeyStore, text: string, options: SecretExportOptions): Promise<SecretExport> {
  const fingerprint = await resolveKey(store, text);
  const whole = await readSecret(store, fingerprint);
  await readStored(store, fingerprint);
  const { present, isLocked, version } = await secretParts(whole);
  if (options.for === "gpg" && version !== 4) {
    throw new FeedkeyError("usage", `GnuPG can't read ${fingerprint}, because the key has version ${version}`, {
      details: { fingerprint, version },
      hint: "GnuPG can use only keys of version 4: rotate to such a key with feedkey rotate --algorithm ed25519",
    });
  }
  const isAlone = [...present].every((one) => one === fingerprint);
  if (options.withoutPrimary === true && isAlone) {
    const problem = `this key store has no subkey secret of ${fingerprint}, so without the primary secret nothing would be left to export`;
    throw new FeedkeyError("usage", problem, {
      details: { fingerprint },
      hint: "first make a signing subkey: feedkey key subkey add FINGERPRINT",
    });
  }
  const secret = options.withoutPrimary === true ? await withoutPrimary(whole) : whole;
  // The other key store needs the certificates of all keys on the path to this key.
  const path = withPath(await ownCertificates(store), fingerprint).filter(({ facts }) => {
    return options.for !== "gpg" || facts.primary.version === 4;
  });
  const certificates = armorCertificates(path.map(({ raw }) => raw));
  return { fingerprint, armored: `${secret.trimEnd()}\n${certificates}`, isLocked };
}
