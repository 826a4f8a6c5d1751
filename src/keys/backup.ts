/** Makes and restores backups of the key store or of revocation certificates. Every backup is read back after it is written. */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { commitStaged, stageAll } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { secretParts } from "../openpgp/secret/secret-parts.ts";
import { readStored, readWhole } from "../signing/stored-certificate.ts";
import { KeyStore, type RevocationReason, revocationReasons } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { addSecretKey, takeIn } from "./store-certificate.ts";

interface Copy {
  readonly path: string;
  readonly data: string;
  readonly mode: number;
}

async function writeAndReadBack(files: readonly Copy[]): Promise<void> {
  await commitStaged(await stageAll(files));
  for (const { path, data } of files) {
    if ((await fs.readFile(path, "utf8")) === data) continue;
    throw new FeedkeyError(
      "output",
      `${escapeText(path)} does not contain the data that feedkey has just written to this file`,
      {
        details: { path },
        hint: "the disk or USB stick may be broken: use another disk or stick",
      },
    );
  }
}

/**
 * Copies a key's three revocation certificates into a folder.
 * @throws FeedkeyError `not_found`: when a revocation certificate is missing; `output`: when a file can't be written
 */
export async function backupRevocations(store: KeyStore, fingerprint: Fingerprint, folder: string): Promise<void> {
  const target = resolve(folder);
  await ensureFolder(target, 0o700);
  const files: Copy[] = [];
  for (const reason of revocationReasons) {
    const data = await store.revocation(fingerprint, reason);
    files.push({ path: join(target, `${fingerprint}-${reason}.asc`), data, mode: 0o600 });
  }
  await writeAndReadBack(files);
}

/**
 * Copies the whole key store.
 * @returns the fingerprints of the copied keys
 * @throws FeedkeyError `bad_config`: when a key can't be read completely
 */
export async function backupStore(store: KeyStore, folder: string): Promise<string[]> {
  const target = resolve(folder);
  const files: Copy[] = [];
  const names = await store.list();
  for (const name of names) {
    // Reading the certificate checks that it is complete, because a backup must not contain an incomplete certificate.
    await readStored(store, name);
    files.push({ path: join(target, "certs", `${name}.asc`), data: await store.certificate(name), mode: 0o644 });
    if (await store.hasPrivate(name)) {
      files.push({ path: join(target, "private", `${name}.asc`), data: await store.privateKey(name), mode: 0o600 });
    }
    for (const reason of revocationReasons) {
      const data = await store.revocation(name, reason).catch(ignoreMissing);
      if (data !== undefined)
        files.push({ path: join(target, "revocations", `${name}-${reason}.asc`), data, mode: 0o600 });
    }
  }
  await ensureFolder(target, 0o700);
  for (const part of ["private", "revocations"]) await ensureFolder(join(target, part), 0o700);
  await ensureFolder(join(target, "certs"), 0o755);
  await writeAndReadBack(files);
  // The copy is read in the same way as a restore reads it, so that problems show now and not in an emergency.
  const copy = await KeyStore.open(target);
  for (const name of names) if (await copy.hasPrivate(name)) await copy.privateKey(name);
  return names;
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof FeedkeyError && error.code === "not_found") return undefined;
  throw error;
}

/**
 * Restores a backup into a key store. A key whose secret is in the store is not changed, so changes since the backup, such as a
 * revocation, stay.
 * @throws FeedkeyError `not_found`: when the folder is not a backup; `bad_certificate`: when a certificate in the backup is damaged
 */
export async function restoreStore(store: KeyStore, folder: string): Promise<{ restored: string[]; kept: string[] }> {
  const backup = await KeyStore.open(folder);
  const names = await backup.list();
  if (names.length === 0) {
    throw new FeedkeyError("not_found", `${escapeText(folder)} is not a backup of a key store`, {
      details: { path: folder },
    });
  }
  // All certificates are read before any key is stored, so that a damaged backup changes nothing.
  const certificates = new Map<Fingerprint, RawCertificate>();
  for (const name of names) {
    const armored = Buffer.from(await backup.certificate(name));
    certificates.set(name, readWhole(armored, name, "bad_certificate", `the backup's certs/${name}.asc`));
  }
  const restored: string[] = [];
  const kept: string[] = [];
  for (const name of names) {
    if (await store.hasPrivate(name)) {
      kept.push(name);
      continue;
    }
    if (await backup.hasPrivate(name)) {
      const privateKey = await backup.privateKey(name);
      const parts = await secretParts(privateKey);
      const ofWhole = parts.present.has(parts.fingerprint);
      const revocations: Partial<Record<RevocationReason, string>> = {};
      for (const reason of revocationReasons) {
        // A backup of a key without its primary secret may have no revocation certificates.
        const data = await backup.revocation(name, reason).catch((error) => {
          if (ofWhole) throw error;
          return ignoreMissing(error);
        });
        if (data !== undefined) revocations[reason] = data;
      }
      const certificate = await backup.certificate(name);
      await addSecretKey(store, { fingerprint: name, privateKey, certificate, revocations });
    }
    restored.push(name);
  }
  // The certificates are stored together, because a certification can be checked only with the certificate of its issuer.
  await takeIn(
    store,
    restored.flatMap((name) => certificates.get(name) ?? []),
  );
  return { restored, kept };
}
