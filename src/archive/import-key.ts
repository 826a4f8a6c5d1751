/** Use case: take a key made elsewhere (`gpg --export-secret-keys`) into the key store. */
import { FeedkeyError } from "../error.ts";
import { armor, dearmor, looksArmored } from "../openpgp/armor.ts";
import { readKeyring } from "../openpgp/certificate.ts";
import { revocationsOf } from "../openpgp/generate.ts";
import { type Packet, readPacketsLeniently, tags, writePackets } from "../openpgp/packets.ts";
import { publicPartOf } from "../openpgp/public-part.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { SecretKey } from "../openpgp/secret-key.ts";
import type { KeyStore, NewKey } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { amendStored, withStored } from "./archive.ts";
import type { PassphraseSource } from "./signing-key.ts";

export interface Imported {
  readonly fingerprint: Fingerprint;
  readonly secret: boolean;
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
    certificate: await withStored(store, raw),
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
 * Imports every key of a file: secret keys with new revocation certificates, certificates merged with those at hand.
 * Nothing is stored before every secret key could be unlocked: what was imported in part could not be imported again.
 * @throws FeedkeyError `bad_certificate` if there is none, `usage` if the secret key is there already
 */
export async function importKey(
  store: KeyStore,
  bytes: Uint8Array,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<Imported[]> {
  const imported: Imported[] = [];
  const secrets = looksArmored(bytes)
    ? dearmor(bytes, "PRIVATE KEY BLOCK")
    : readKeys(bytes).secretKeys > 0
      ? [bytes]
      : [];
  const prepared: NewKey[] = [];
  for (const block of secrets.flatMap(splitSecrets)) prepared.push(await prepare(store, block, at, passphrase));
  for (const key of prepared) {
    await store.add(key);
    imported.push({ fingerprint: key.fingerprint, secret: true });
  }
  for (const certificate of readKeys(bytes).certificates) {
    await amendStored(store, certificate);
    imported.push({ fingerprint: certificate.fingerprint, secret: false });
  }
  if (imported.length > 0) return imported;
  throw new FeedkeyError("bad_certificate", "there is no key in that file", {
    hint: "give the output of gpg --export-secret-keys --armor FINGERPRINT, or of gpg --export",
  });
}
