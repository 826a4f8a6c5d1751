/** Use case: take keys and certificates made elsewhere into the key store: gpg's, a delegate's with its path, revocations. */
import { FeedkeyError } from "../error.ts";
import { withKeySignature } from "../openpgp/amend.ts";
import { armor, dearmor, looksArmored } from "../openpgp/armor.ts";
import { type Keyring, type RawCertificate, readKeyring } from "../openpgp/certificate.ts";
import { revocationsOf } from "../openpgp/generate.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { collect, unite } from "../openpgp/merge.ts";
import { type Packet, readPacketsLeniently, tags, writePackets } from "../openpgp/packets.ts";
import { publicPartOf } from "../openpgp/public-part.ts";
import { parseSignature } from "../openpgp/raw-signature.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { SecretKey } from "../openpgp/secret-key.ts";
import type { KeyStore, NewKey } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { amendStored, withStored } from "./archive.ts";
import { ownCertificates, type PassphraseSource } from "./signing-key.ts";

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

/** Lays a certificate to what the store knows of it. @returns whether it said anything new */
async function importCertificate(store: KeyStore, certificate: RawCertificate): Promise<boolean> {
  if ((await store.list()).includes(certificate.fingerprint)) {
    const present = readKeys(Buffer.from(await store.certificate(certificate.fingerprint))).certificates;
    if (present.some((one) => one.fingerprint === certificate.fingerprint && unite(one, certificate) === one))
      return false;
  }
  await amendStored(store, certificate);
  return true;
}

/** A certificate's good revocations, as the keys at hand tell. */
async function revocations(certificate: RawCertificate, others: readonly RawCertificate[]): Promise<number> {
  const keys = await KeyIndex.of(collect([certificate, ...others]).values());
  const loaded = keys.certificates.find(({ raw }) => raw.fingerprint === certificate.fingerprint);
  return loaded === undefined ? 0 : (await readFacts(loaded, keys)).revocations.length;
}

/**
 * Bare revocations, as they lie in a safe: each is laid to the certificate that it revokes. One that revokes nothing here
 * is left out.
 */
async function importRevocations(store: KeyStore, loose: Keyring["loose"]): Promise<Imported[]> {
  const revoked: Imported[] = [];
  for (const packet of loose) {
    const signature = parseSignature(packet.body);
    if (typeof signature === "string" || signature.type !== 0x20) continue;
    const own = [...(await ownCertificates(store)).values()].map(({ raw }) => raw);
    for (const certificate of own) {
      const amended = withKeySignature(certificate, packet);
      if (amended === certificate) {
        revoked.push({ fingerprint: certificate.fingerprint, secret: false, news: false });
        continue;
      }
      if ((await revocations(amended, own)) <= (await revocations(certificate, own))) continue;
      await amendStored(store, amended);
      revoked.push({ fingerprint: certificate.fingerprint, secret: false, news: true });
    }
  }
  return revoked;
}

/**
 * Imports every key of a file: secret keys with new revocation certificates; certificates, merged with those at hand, in
 * whatever order they come; and bare revocations of keys that are here.
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
    imported.push({ fingerprint: key.fingerprint, secret: true, news: true });
  }
  const { certificates, loose } = readKeys(bytes);
  for (const certificate of certificates) {
    const news = await importCertificate(store, certificate);
    imported.push({ fingerprint: certificate.fingerprint, secret: false, news });
  }
  for (const one of await importRevocations(store, loose)) imported.push(one);
  if (imported.length > 0) return imported;
  throw new FeedkeyError("bad_certificate", "there is no key in that file, and no revocation of a key that is here", {
    hint: "give the output of feedkey key export, of gpg --export, or of gpg --export-secret-keys --armor FINGERPRINT",
  });
}
