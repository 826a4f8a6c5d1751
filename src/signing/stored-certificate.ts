/** Reads certificates from the key store. Refuses an incomplete certificate, because the missing part may be a revocation. */
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { looksArmored } from "../openpgp/packet/armor.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";

/**
 * Returns the only certificate in a file, after reading the file to its end.
 * @param code the error code to throw, for example `bad_config` for a file in the key store
 * @param what the name of the file in messages
 * @throws FeedkeyError with this code if the file does not contain exactly this certificate, or can't be read to its end
 */
export function readWhole(bytes: Uint8Array, fingerprint: Fingerprint, code: ErrorCode, what: string): RawCertificate {
  const { certificates, problems } = readKeys(bytes);
  const found = certificates.find((one) => one.fingerprint === fingerprint);
  const blocks =
    Buffer.from(bytes)
      .toString("latin1")
      .match(/-----BEGIN PGP PUBLIC KEY BLOCK-----/g)?.length ?? 0;
  const problem =
    problems[0] ??
    (found === undefined ? "the file contains another certificate" : undefined) ??
    (looksArmored(bytes) && blocks !== 1 ? "the file is not one armored block" : undefined);
  if (found !== undefined && problem === undefined) return found;
  throw new FeedkeyError(
    code,
    `${what} can't be ${problems[0] === undefined ? "used" : "read to its end"}: ${escapeText(problem ?? "")}`,
    {
      details: { fingerprint },
      hint: "a revocation may be missing from the file: restore the file from a backup",
    },
  );
}

/**
 * Reads a certificate from the key store.
 * @throws FeedkeyError `not_found` if the store does not have the certificate; `bad_config` if its file can't be read to the end
 */
export async function readStored(store: KeyStore, fingerprint: Fingerprint): Promise<RawCertificate> {
  const armored = Buffer.from(await store.certificate(fingerprint));
  return readWhole(armored, fingerprint, "bad_config", `certs/${fingerprint}.asc in the key store "${store.folder}"`);
}

/**
 * Reads all certificates from the key store.
 * @throws FeedkeyError `bad_config` if a certificate's file can't be read to its end
 */
export async function readAllStored(store: KeyStore): Promise<RawCertificate[]> {
  const stored: RawCertificate[] = [];
  for (const fingerprint of await store.list()) stored.push(await readStored(store, fingerprint));
  return stored;
}
