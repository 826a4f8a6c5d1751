/** Reads certificates of the key store completely or not at all: a missing part might be a revocation. */
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { looksArmored } from "../openpgp/packet/armor.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";

/**
 * A file with one certificate, read to its end.
 * @param code of the error: `bad_config` for one's own key store
 * @throws FeedkeyError with that code if it contains anything else, or can't be read to its end
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
    (found === undefined ? "it contains another certificate" : undefined) ??
    (looksArmored(bytes) && blocks !== 1 ? "it is not one armored block" : undefined);
  if (found !== undefined && problem === undefined) return found;
  throw new FeedkeyError(
    code,
    `${what} can't be ${problems[0] === undefined ? "used" : "read to its end"}: ${escapeText(problem ?? "")}`,
    {
      details: { fingerprint },
      hint: "a revocation may be missing from it: restore the file from a backup",
    },
  );
}

/** A certificate of the key store. @throws FeedkeyError `not_found`; `bad_config` if it can't be read to its end */
export async function readStored(store: KeyStore, fingerprint: Fingerprint): Promise<RawCertificate> {
  const armored = Buffer.from(await store.certificate(fingerprint));
  return readWhole(armored, fingerprint, "bad_config", `certs/${fingerprint}.asc in the key store "${store.folder}"`);
}

/** All certificates of the key store. @throws FeedkeyError `bad_config` */
export async function readAllStored(store: KeyStore): Promise<RawCertificate[]> {
  const stored: RawCertificate[] = [];
  for (const fingerprint of await store.list()) stored.push(await readStored(store, fingerprint));
  return stored;
}
