/**
 * Use case: import keys and certificates that were made elsewhere. Examples are keys from gpg, a delegate's certificate with
 * the certificates that lead to it, and revocations.
 */
import { FeedkeyError } from "../error.ts";
import { armorCertificates, type Keyring, readKeyring } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { armor, dearmor, looksArmored } from "../openpgp/packet/armor.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { type Packet, readPacketsLeniently, tags, writePackets } from "../openpgp/packet/packets.ts";
import { readSignature } from "../openpgp/packet/raw-signature.ts";
import { revocationsOf } from "../openpgp/secret/generate.ts";
import { SecretKey } from "../openpgp/secret/secret-key.ts";
import { publicPartOf } from "../openpgp/secret/secret-parts.ts";
import { uniteSecrets } from "../openpgp/secret/secret-union.ts";
import { ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import { readAllStored } from "../signing/stored-certificate.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { type Change, changesOf } from "./import-changes.ts";
import { addSecretKey, type SecretToAdd, takeIn } from "./store-certificate.ts";

export interface Imported {
  readonly fingerprint: Fingerprint;
  readonly secret: boolean;
  /** Whether the import added something to the store. */
  readonly news: boolean;
}

/** A secret key from the imported file that is ready to be stored. */
interface Prepared {
  readonly fingerprint: Fingerprint;
  /** The binary certificate. */
  readonly certificate: Uint8Array;
  /** The key to store; undefined if the store already has every secret of this key. */
  readonly key: SecretToAdd | undefined;
  /** Whether the file or the store has the primary key's secret. */
  readonly primary: boolean;
}

/** Unlocks a secret key, makes its revocation certificates, and returns the key as it will be stored. */
async function prepare(
  store: KeyStore,
  block: Uint8Array,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<Prepared> {
  const incoming = armor(block, "PRIVATE KEY BLOCK");
  const certificate = await publicPartOf(incoming);
  const [raw] = readKeyring(certificate).certificates;
  if (raw === undefined)
    throw new FeedkeyError("bad_certificate", "the secret key in the file has a public part that feedkey can't read");
  const { fingerprint } = raw;
  const isPresent = await store.hasPrivate(fingerprint);
  // The secrets are stored unchanged, so a locked key stays locked.
  const privateKey = isPresent ? await uniteSecrets(await store.privateKey(fingerprint), incoming) : incoming;
  if (privateKey === undefined) return { fingerprint, certificate, key: undefined, primary: true };
  const secret = await SecretKey.open(privateKey, () => passphrase(fingerprint));
  if (!secret.hasAny) {
    throw new FeedkeyError("bad_config", `the file does not contain the secret of any part of ${fingerprint}`, {
      details: { fingerprint },
      hint: "export the key again with gpg --export-secret-keys, or with --export-secret-subkeys if you keep the primary key's secret in another place",
    });
  }
  const revocations = secret.hasPrimary ? await revocationsOf(secret, at) : {};
  const armored = armorCertificates([raw]);
  const key = { fingerprint, privateKey, certificate: armored, revocations, replaces: isPresent };
  return { fingerprint, certificate, key, primary: secret.hasPrimary };
}

/**
 * Returns one block for each secret key in a block. gpg writes all secret keys into one block, but a file in the store must
 * contain only one secret key.
 * @throws FeedkeyError `bad_certificate`: when the block is damaged, so that feedkey could read only a part of a key
 */
function splitSecrets(block: Uint8Array): Uint8Array[] {
  const problems = new Set<string>();
  const packets = [...readPacketsLeniently(block, problems)];
  if (problems.size > 0)
    throw new FeedkeyError("bad_certificate", `the secret key is damaged: ${[...problems].join("; ")}`);
  const keys: Packet[][] = [];
  for (const packet of packets) {
    if (packet.tag === tags.secretKey || packet.tag === tags.publicKey) keys.push([]);
    keys.at(-1)?.push(packet);
  }
  return keys.filter(([first]) => first?.tag === tags.secretKey).map(writePackets);
}

/**
 * Imports revocations that are not part of a certificate, for example from a backup. Each revocation is checked against every
 * certificate in the store. A revocation that verifies for no certificate is left out.
 */
async function importRevocations(store: KeyStore, loose: Keyring["loose"]): Promise<Imported[]> {
  const revoking = loose.filter(({ body }) => readSignature(body)?.type === 0x20);
  if (revoking.length === 0) return [];
  const own = await readAllStored(store);
  const copies = own.map((certificate) => ({ ...certificate, signatures: revoking, userIds: [], subkeys: [] }));
  const given = new Set(revoking.map(({ body }) => Buffer.from(body).toString("latin1")));
  return [...(await takeIn(store, copies))].flatMap(([fingerprint, { certificate, news }]) => {
    const holds = certificate.signatures.some(({ body }) => given.has(Buffer.from(body).toString("latin1")));
    return holds ? [{ fingerprint, secret: false, news }] : [];
  });
}

/**
 * Refuses a file that is too large to be read completely, because the unread part might contain a revocation.
 * @throws FeedkeyError `bad_certificate`: when the file is too large
 */
function refuseTooLarge(bytes: Uint8Array): void {
  if (bytes.length <= limits.keyringBytes) return;
  throw new FeedkeyError("bad_certificate", `the file to import is larger than ${limits.keyringBytes} bytes`, {
    details: { bytes: bytes.length, most: limits.keyringBytes },
    hint: "import the keys that you need one by one: gpg --export FINGERPRINT",
  });
}

/** The result of an import. */
interface ImportReport {
  readonly imported: readonly Imported[];
  /** What is new in the store. */
  readonly changes: readonly Change[];
  /** Secret keys whose primary secret is neither in the file nor in the store. */
  readonly withoutPrimary: readonly Fingerprint[];
}

/** Returns the secret keys in a file, ready to be stored. */
async function secretsOf(
  store: KeyStore,
  bytes: Uint8Array,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<Prepared[]> {
  const blocks = looksArmored(bytes)
    ? dearmor(bytes, "PRIVATE KEY BLOCK")
    : readKeys(bytes).secretKeys > 0
      ? [bytes]
      : [];
  const prepared: Prepared[] = [];
  for (const block of blocks.flatMap(splitSecrets)) prepared.push(await prepare(store, block, at, passphrase));
  return prepared;
}

/**
 * Imports every key in a file. A file may contain secret keys, certificates in any order, and separate revocations of keys in
 * the store. Each secret key gets new revocation certificates. Keys that the store already has are kept, and only their missing
 * parts are added. Nothing is stored before every secret key has been unlocked.
 * @throws FeedkeyError `bad_certificate`: when the file has no key or is too large; `bad_config`: when a passphrase is wrong
 */
export async function importKey(
  store: KeyStore,
  bytes: Uint8Array,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<ImportReport> {
  refuseTooLarge(bytes);
  const before = await ownCertificates(store);
  const prepared = await secretsOf(store, bytes, at, passphrase);
  for (const { key } of prepared) if (key !== undefined) await addSecretKey(store, key);
  const { certificates, loose } = readKeys(bytes);
  const named = new Set(certificates.map(({ fingerprint }) => fingerprint));
  // The certificates of the secret keys are stored a second time, because feedkey can check signatures by other keys in this file only
  // now.
  const own = prepared.flatMap(({ certificate }) => readKeyring(certificate).certificates);
  const taken = await takeIn(store, [...certificates, ...own]);
  const imported: Imported[] = prepared.map(({ fingerprint, key }) => {
    return { fingerprint, secret: true, news: key !== undefined || taken.get(fingerprint)?.news === true };
  });
  for (const [fingerprint, { news }] of taken) {
    if (named.has(fingerprint)) imported.push({ fingerprint, secret: false, news });
  }
  for (const one of await importRevocations(store, loose)) imported.push(one);
  if (imported.length === 0) throw nothingThere();
  const after = await ownCertificates(store);
  const changes = [...new Set(imported.map(({ fingerprint }) => fingerprint))].flatMap((fingerprint) => {
    const now = after.get(fingerprint);
    return now === undefined ? [] : changesOf(now, before.get(fingerprint), at);
  });
  const withoutPrimary = prepared.filter(({ primary }) => !primary).map(({ fingerprint }) => fingerprint);
  return { imported, changes, withoutPrimary };
}

function nothingThere(): FeedkeyError {
  return new FeedkeyError("bad_certificate", "the file has no key, and no revocation of a key in the key store", {
    hint: "import the output of feedkey key export, gpg --export, or gpg --export-secret-keys --armor FINGERPRINT",
  });
}
