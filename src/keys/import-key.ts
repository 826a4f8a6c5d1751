/** Use case: take keys and certificates made elsewhere into the key store: gpg's, a delegate's with its path, revocations. */
import { FeedkeyError } from "../error.ts";
import { armor, dearmor, looksArmored } from "../openpgp/armor.ts";
import { type Keyring, readKeyring, writeCertificate } from "../openpgp/certificate.ts";
import { revocationsOf } from "../openpgp/generate.ts";
import { limits } from "../openpgp/limits.ts";
import { type Packet, readPacketsLeniently, tags, writePackets } from "../openpgp/packets.ts";
import { publicPartOf } from "../openpgp/public-part.ts";
import { parseSignature } from "../openpgp/raw-signature.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { SecretKey } from "../openpgp/secret-key.ts";
import type { PassphraseSource } from "../signing/signing-key.ts";
import { readAllStored } from "../signing/stored-certificate.ts";
import type { KeyStore, NewKey } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { addSecretKey, takeIn } from "./store-certificate.ts";

export interface Imported {
  readonly fingerprint: Fingerprint;
  readonly secret: boolean;
  /** Whether the store did not know all of it already. */
  readonly news: boolean;
}

/** A secret key as it will enter the store: unlocked for a moment, and with its revocation certificates made. */
async function prepare(store: KeyStore, block: Uint8Array, at: Instant, passphrase: PassphraseSource): Promise<NewKey> {
  const armored = armor(block, "PRIVATE KEY BLOCK");
  const certificate = await publicPartOf(armored);
  const [raw] = readKeyring(certificate).certificates;
  if (raw === undefined) throw new FeedkeyError("bad_certificate", "the secret key has no readable public part");
  await store.refusePresent(raw.fingerprint);
  const secret = await SecretKey.open(armored, () => passphrase(raw.fingerprint));
  return {
    fingerprint: raw.fingerprint,
    // As it came: locked keys stay locked.
    privateKey: armored,
    certificate: armor(writeCertificate(raw), "PUBLIC KEY BLOCK"),
    revocations: await revocationsOf(secret, at),
  };
}

/**
 * One block for each secret key: gpg puts all of them into one, and a file of the store must hold its own alone.
 * @throws FeedkeyError `bad_certificate`: half of a key would be imported
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
 * Bare revocations, as they lie in a safe: all are laid to every certificate of the store, and those that prove true stay.
 * One that revokes nothing here is left out.
 */
async function importRevocations(store: KeyStore, loose: Keyring["loose"]): Promise<Imported[]> {
  const revoking = loose.filter(({ body }) => {
    const signature = parseSignature(body);
    return typeof signature !== "string" && signature.type === 0x20;
  });
  if (revoking.length === 0) return [];
  const own = await readAllStored(store);
  const copies = own.map((certificate) => ({ ...certificate, signatures: revoking, userIds: [], subkeys: [] }));
  const given = new Set(revoking.map(({ body }) => Buffer.from(body).toString("latin1")));
  return [...(await takeIn(store, copies))].flatMap(([fingerprint, { certificate, news }]) => {
    const holds = certificate.signatures.some(({ body }) => given.has(Buffer.from(body).toString("latin1")));
    return holds ? [{ fingerprint, secret: false, news }] : [];
  });
}

/** @throws FeedkeyError `bad_certificate`: what is behind the end of what is read might be a revocation */
function refuseTooLarge(bytes: Uint8Array): void {
  if (bytes.length <= limits.keyringBytes) return;
  throw new FeedkeyError("bad_certificate", `the file is larger than ${limits.keyringBytes} bytes`, {
    details: { bytes: bytes.length, most: limits.keyringBytes },
    hint: "import the keys that you mean one by one: gpg --export FINGERPRINT",
  });
}

/**
 * Imports every key of a file: secret keys with new revocation certificates; certificates, merged with those at hand, in
 * whatever order they come; and bare revocations of keys that are here.
 * Nothing is stored before every secret key could be unlocked: what was imported in part could not be imported again.
 * @throws FeedkeyError `bad_certificate` if there is none or the file is too large, `usage` if the secret key is there already
 */
export async function importKey(
  store: KeyStore,
  bytes: Uint8Array,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<Imported[]> {
  refuseTooLarge(bytes);
  const imported: Imported[] = [];
  const secrets = looksArmored(bytes)
    ? dearmor(bytes, "PRIVATE KEY BLOCK")
    : readKeys(bytes).secretKeys > 0
      ? [bytes]
      : [];
  const prepared: NewKey[] = [];
  for (const block of secrets.flatMap(splitSecrets)) prepared.push(await prepare(store, block, at, passphrase));
  for (const key of prepared) {
    await addSecretKey(store, key);
    imported.push({ fingerprint: key.fingerprint, secret: true, news: true });
  }
  const { certificates, loose } = readKeys(bytes);
  const named = new Set(certificates.map(({ fingerprint }) => fingerprint));
  // Those of the secret keys once more: what others in this file say of them can be checked only now.
  const own = prepared.flatMap(({ certificate }) => readKeys(Buffer.from(certificate)).certificates);
  for (const [fingerprint, { news }] of await takeIn(store, [...certificates, ...own])) {
    if (named.has(fingerprint)) imported.push({ fingerprint, secret: false, news });
  }
  for (const one of await importRevocations(store, loose)) imported.push(one);
  if (imported.length > 0) return imported;
  throw new FeedkeyError("bad_certificate", "there is no key in that file, and no revocation of a key that is here", {
    hint: "give the output of feedkey key export, of gpg --export, or of gpg --export-secret-keys --armor FINGERPRINT",
  });
}
