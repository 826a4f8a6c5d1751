/** Imports and exports keys. */

import { FeedkeyError } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import type { Change } from "../keys/import-changes.ts";
import { type Imported, importKey } from "../keys/import-key.ts";
import { exportSecret, type SecretExport } from "../keys/key-store/export-secret.ts";
import { armorCertificates } from "../openpgp/certificate/certificate.ts";
import type { Reporter } from "../refresh/session.ts";
import { ownCertificates } from "../signing/signing-key.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import type { ExportKeysOptions, ExportSecretOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";
import { readInput } from "./read-input.ts";

/** A key that was imported, and whether clients accept what it signs. */
export interface ImportedKey extends Imported {
  /**
   * The reason why clients refuse what the key signs, for example a revocation in the imported file; undefined if clients
   * accept the key.
   */
  readonly refused: string | undefined;
}

/** Exports the named certificates, or all certificates, armored. @throws FeedkeyError `usage`, `not_found`, `bad_config` */
export async function exportCertificates(
  { store }: Opened,
  texts: readonly string[],
  { for: program, output }: ExportKeysOptions,
): Promise<{ readonly fingerprints: readonly Fingerprint[]; readonly armored: string }> {
  const own = await ownCertificates(store);
  const names = texts.length === 0 ? [...own.keys()] : await Promise.all(texts.map((one) => store.resolve(one)));
  const certificates = names.flatMap((name) => own.get(name) ?? []);
  if (certificates.length < names.length) {
    throw new FeedkeyError("bad_certificate", "one of these certificates is of a kind or form that feedkey can't use", {
      hint: "feedkey key list shows the keys that can be exported",
    });
  }
  const readable = certificates.filter(({ facts }) => program !== "gpg" || facts.primary.version === 4);
  const armored = armorCertificates(readable.map(({ raw }) => raw));
  if (output !== undefined) await writeFileAtomic(output, armored, { mode: 0o644 });
  return { fingerprints: readable.map(({ raw }) => raw.fingerprint), armored };
}

/** Exports a secret key for another program or machine. @throws FeedkeyError as `exportSecret` does; `output` */
export async function exportSecretKey(
  { store }: Opened,
  text: string,
  { output, ...options }: ExportSecretOptions,
  reporter: Reporter,
): Promise<SecretExport> {
  const exported = await exportSecret(store, text, options);
  const { fingerprint, armored, isLocked } = exported;
  if (!isLocked) reporter.warn(`no passphrase protects ${fingerprint}: anyone who reads the export can sign with it`);
  if (output !== undefined) await writeFileAtomic(output, armored, { mode: 0o600 });
  return exported;
}

/**
 * Imports files, and publishes the imported certificates.
 * @throws FeedkeyError `not_found`, `bad_certificate`; `bad_config` if a passphrase is missing or wrong
 */
export async function importFiles(opened: Opened, files: readonly (string | Uint8Array)[], reporter: Reporter) {
  const { store, at, passphrase } = opened;
  const imported: Imported[] = [];
  const changes: Change[] = [];
  for (const file of files) {
    const bytes = typeof file === "string" ? await readInput(file) : file;
    const found = await importKey(store, bytes, at, passphrase);
    for (const one of found.imported) imported.push(one);
    for (const one of found.changes) changes.push(one);
    for (const one of found.withoutPrimary) {
      reporter.warn(
        `${one} was imported without the secret of its primary key: it can sign here, but it can't be extended, rotated or revoked here`,
      );
    }
  }
  const handed = await opened.handOn([...new Set(imported.map(({ fingerprint }) => fingerprint))], reporter);
  const own = await ownCertificates(store);
  const described = imported.map((one): ImportedKey => {
    const facts = own.get(one.fingerprint)?.facts;
    return { ...one, refused: facts && refusePrimary(facts, at)?.reason };
  });
  return { imported: described, changes, ...handed };
}
