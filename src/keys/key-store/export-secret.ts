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
  /** Whether to leave out the primary secret: for a machine that only signs. */
  readonly withoutPrimary?: boolean | undefined;
  /** The program that will read the export; keys that it can't read are refused. */
  readonly for?: "gpg" | undefined;
}

export interface SecretExport {
  readonly fingerprint: Fingerprint;
  /** Two armored blocks: the secret key, locked as it is in the store, and the certificates of the keys on its path. */
  readonly armored: string;
  readonly isLocked: boolean;
}

/**
 * Exports a secret key. The self-signatures in the store's secret file may be old, so the current certificate follows.
 * @throws FeedkeyError `usage` if no secret would be left or GnuPG can't read the key; `not_found`; `bad_config`
 */
export async function exportSecret(store: KeyStore, text: string, options: SecretExportOptions): Promise<SecretExport> {
  const fingerprint = await resolveKey(store, text);
  const whole = await readSecret(store, fingerprint);
  await readStored(store, fingerprint);
  const { present, isLocked, version } = await secretParts(whole);
  if (options.for === "gpg" && version !== 4) {
    throw new FeedkeyError("usage", `GnuPG can't read ${fingerprint}: it is a key of version ${version}`, {
      details: { fingerprint, version },
      hint: "only a key of version 4 can be used with GnuPG: rotate to one with feedkey rotate --algorithm ed25519",
    });
  }
  const isAlone = [...present].every((one) => one === fingerprint);
  if (options.withoutPrimary === true && isAlone) {
    const problem = `${fingerprint} has no subkey with a secret here: nothing would be left to export`;
    throw new FeedkeyError("usage", problem, {
      details: { fingerprint },
      hint: "first make a signing subkey: feedkey key subkey add FINGERPRINT",
    });
  }
  const secret = options.withoutPrimary === true ? await withoutPrimary(whole) : whole;
  // The keys before this key are included, because the other side needs the whole path.
  const path = withPath(await ownCertificates(store), fingerprint).filter(({ facts }) => {
    return options.for !== "gpg" || facts.primary.version === 4;
  });
  const certificates = armorCertificates(path.map(({ raw }) => raw));
  return { fingerprint, armored: `${secret.trimEnd()}\n${certificates}`, isLocked };
}
