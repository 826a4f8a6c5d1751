/** Use case: rotate a key in two steps. Each step checks what an earlier run has already done, and does the rest. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { certify } from "../openpgp/secret/amend.ts";
import { type Algorithm, generate, type KeyOptions, type NewKey } from "../openpgp/secret/generate.ts";
import { generateMaster, generateSplit } from "../openpgp/secret/offline-primary.ts";
import { type Archive, ownCertificate, refreshBundle } from "../publish/archive.ts";
import { recordsFolder } from "../publish/published-record.ts";
import { certifications, dateOfWork } from "../signing/rotation-state.ts";
import { type OwnCertificate, openSigningKey } from "../signing/signing-key.ts";
import { successorAlgorithm } from "../signing/successor-algorithm.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Duration, type Instant, iso, wholeSecond } from "../time.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { backupRevocations } from "./backup.ts";
import { switchKey } from "./config-edit.ts";
import { acknowledgeEachOther, openRivals } from "./rivals.ts";
import {
  checkFinish,
  checkStart,
  checkSuccessor,
  publishWithPresent,
  refuseForeignFiles,
  switchedTo,
} from "./rotation/rotation-checks.ts";
import { signedWords, signShared } from "./rotation/shared-feeds.ts";
import { addSecretKey, amendStored } from "./store-certificate.ts";

export interface StartOptions {
  /** The algorithm of a new key; undefined for Ed25519, or RSA if stock clients of the feeds need RSA. */
  readonly algorithm: Algorithm | undefined;
  readonly lifetime: Duration | undefined;
  /** How long the present key and the new key are both in use. */
  readonly overlap: Duration;
  /** An existing key in the store that becomes the successor, instead of a new key. */
  readonly to: Fingerprint | undefined;
  /** Folder for copies of the new key's revocation certificates. */
  readonly backup: string | undefined;
  /** Whether to continue without a backup of the revocation certificates, or before the overlap has ended. */
  readonly force: boolean;
  readonly passphrase: string | undefined;
}

/**
 * Returns the path of the file that records the new key's fingerprint. The file is written before the key is stored, so that
 * the run after an interrupted run continues with the same key.
 */
function markerFile({ store, config }: Archive): string {
  return join(recordsFolder(store, config.root), "successor");
}

async function interrupted(archive: Archive): Promise<Fingerprint | undefined> {
  const text = await readFile(markerFile(archive), "utf8").catch(() => "");
  const fingerprint = text.trim();
  if (!/^[0-9A-F]{40,64}$/.test(fingerprint)) return undefined;
  if (await archive.store.hasPrivate(fingerprint)) return fingerprint;
  // The key's secret was never stored. So feedkey removes the key's certificate, because the bundle must not contain this certificate.
  await archive.store.exclusive((writer) => writer.removeUnfinished(fingerprint));
  return undefined;
}

/**
 * Returns the path of the file that contains the successor's fingerprint. The file is written just before the configuration
 * changes, and is removed when the second step ends.
 */
function finishingFile({ store, config }: Archive): string {
  return join(recordsFolder(store, config.root), "finishing");
}

/**
 * Whether an earlier run was interrupted after it had changed the key in the configuration. If so, the user must finish the
 * second step, and must not start a new rotation.
 */
export async function wasCutOffFinishing(archive: Archive): Promise<boolean> {
  const text = await readFile(finishingFile(archive), "utf8").catch(() => "");
  return text.trim() === archive.config.key.fingerprint;
}

/**
 * Makes a key of the present key's kind. If the present key is a master key, the new key also only certifies, so that the
 * machine with the new key has no key that can sign an index. If the present key's primary key is kept offline, the new
 * key's primary key does not sign either.
 */
async function makeLike(present: CertificateFacts, at: Instant, options: KeyOptions): Promise<NewKey> {
  const able = signingKeys(present, at);
  if (able.has(present.primary.fingerprint)) return await generate(options);
  return able.size > 0 ? (await generateSplit(options)).whole : await generateMaster(options);
}

async function makeSuccessor(archive: Archive, present: OwnCertificate, options: StartOptions): Promise<Fingerprint> {
  const { store, config, at } = archive;
  const made = await makeLike(present.facts, at, {
    userId: config.userId,
    userIdForm: "any",
    algorithm: successorAlgorithm(config, present, at, options.algorithm, options.force),
    // A certification of the new key can't be older than the new key.
    at: dateOfWork(at, present.facts.primary),
    lifetime: options.lifetime,
    passphrase: options.passphrase,
  });
  await ensureFolder(recordsFolder(store, config.root), 0o700);
  await writeFileAtomic(markerFile(archive), `${made.fingerprint}\n`, { mode: 0o600 });
  await addSecretKey(store, made);
  return made.fingerprint;
}

async function refuseWithoutBackup(store: KeyStore, successor: Fingerprint, options: StartOptions): Promise<void> {
  if (options.backup !== undefined) {
    await backupRevocations(store, successor, options.backup);
    return;
  }
  if (options.force) return;
  throw new FeedkeyError("usage", "the new key's revocation certificates have no backup", {
    details: { successor },
    hint: "give --backup DIR, a folder on a USB stick or another machine to which feedkey copies them, or use --force",
  });
}

export interface RotationStep {
  readonly present: Fingerprint;
  readonly successor: Fingerprint;
  readonly overlapEnds: Instant;
  /** Sentences that describe what was done. */
  readonly done: readonly string[];
  /** One error for each feed whose index did not get the new signature. */
  readonly left: readonly FeedkeyError[];
}

/**
 * Does the first step: makes and certifies the successor, and writes both keys into the bundle. The successor certifies the
 * present key until the overlap ends. The present key still signs the indexes. The successor also signs the feeds whose
 * clients need to know only one of the signing keys.
 * @throws FeedkeyError `expired`, `revoked` or `weak_algorithm`: when a key can't be used; `usage`: when there is no backup;
 * `fork`: when a rival can't acknowledge the successor
 */
export async function startRotation(archive: Archive, options: StartOptions): Promise<RotationStep> {
  const { store, config, at, passphrase } = archive;
  const { state, rivals } = await checkStart(archive, options);
  const done: string[] = [];
  const userId = config.userId;
  const present = state.present.raw.fingerprint;
  if (options.backup === undefined && !options.force) await refuseWithoutBackup(store, present, options);
  // The present key is unlocked before the successor is made: without the passphrase, the successor would be stored unlocked.
  const issuer = state.successor === undefined ? await openSigningKey(store, present, passphrase) : undefined;
  issuer?.secret.requirePrimary();
  const opened = await openRivals(archive, present, rivals, options.force);
  let name = state.successor?.raw.fingerprint ?? options.to ?? (await interrupted(archive));
  if (name === undefined) {
    name = await makeSuccessor(archive, state.present, options);
    done.push(`made the successor ${name}`);
  }
  const successor = await ownCertificate(store, name);
  checkSuccessor(archive, state.present, successor, options.force);
  await refuseWithoutBackup(store, name, options);
  if (options.backup !== undefined) done.push(`copied its revocation certificates to ${options.backup}`);
  const date = dateOfWork(at, state.present.facts.primary, successor.facts.primary);
  if (issuer !== undefined) {
    await amendStored(store, await certify(issuer.secret, successor.raw, userId, { type: 0x10, at: date }));
    // From now on, the certificates show the state of the rotation, so the marker file is no longer needed.
    await rm(markerFile(archive), { force: true });
    done.push(`${present} certified ${name}`);
  }
  const overlapEnds = state.overlapEnds ?? wholeSecond(at) + options.overlap;
  if (certifications(state.present.facts, name, userId, at).length === 0) {
    const key = await openSigningKey(store, name, passphrase);
    const content = { type: 0x10, at: date, expiresAt: overlapEnds };
    await amendStored(store, await certify(key.secret, state.present.raw, userId, content));
    done.push(`${name} certified ${present} until ${iso(overlapEnds)}`);
  }
  for (const step of await acknowledgeEachOther(archive, name, opened)) done.push(step);
  for (const step of await refreshBundle(archive)) done.push(step);
  const shared = await signShared(archive, [await ownCertificate(store, name)]);
  return { present, successor: name, overlapEnds, done: [...done, ...shared.done], left: shared.left };
}

/** Signs the feeds with the present key, writes the bundle, and marks the step as done. */
async function resign(archive: Archive, predecessor: OwnCertificate) {
  const key = archive.config.key.fingerprint;
  const published = await publishWithPresent(archive, predecessor, false);
  const { bundle, notes, delegated, left } = published;
  const elsewhere = [
    `archive.ini has no feed to sign: from now on, sign with ${key} where the indexes are made`,
    `for gpg: feedkey key export --secret --for gpg ${key} | gpg --import`,
  ];
  const done = [
    ...(archive.config.feeds.length === 0 ? elsewhere : []),
    ...signedWords(published, "signed"),
    ...delegated.map(({ feed, delegate }) => `feed "${feed}" stays signed by its delegate ${delegate}: delegate again`),
    ...bundle.map(({ path }) => `wrote ${path}`),
    ...notes,
  ];
  await rm(finishingFile(archive), { force: true });
  return { done, left };
}

/**
 * Does the second step: makes the successor the archive's key, and signs the feeds again. After a crash, a second call
 * finishes the step.
 * @throws FeedkeyError `usage`: when the overlap has not ended, or no rotation is in progress; `would_break`: when a signature
 * file that feedkey did not make is in the way
 */
export async function finishRotation(archive: Archive, force: boolean): Promise<RotationStep> {
  const { config, at } = archive;
  const { state, from, to, isSwitched } = await checkFinish(archive, force);
  const [present, successor] = [from.raw.fingerprint, to.raw.fingerprint];
  if (isSwitched) {
    // An interrupted run has already changed the key in the configuration, but the old key's signatures may still be there.
    return { present, successor, overlapEnds: at, ...(await resign(archive, from)) };
  }
  const switched = switchedTo(archive, successor);
  refuseForeignFiles(await publishWithPresent(switched, from, true));
  await ensureFolder(recordsFolder(archive.store, config.root), 0o700);
  await writeFileAtomic(finishingFile(archive), `${successor}\n`, { mode: 0o600 });
  await switchKey(config.file, present, successor);
  const { done, left } = await resign(switched, from);
  const overlapEnds = state.overlapEnds ?? at;
  return { present, successor, overlapEnds, done: [`archive.ini: key = ${successor}`, ...done], left };
}
