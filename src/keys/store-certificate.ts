/**
 * Adds certificates to the key store; no other code does so. New packets are merged with the known packets, and unverified packets
 * are dropped. So a forged signature in a certificate never displaces a revocation or a withdrawal.
 */
import { FeedkeyError } from "../error.ts";
import { armorCertificates, packetsOf, type RawCertificate } from "../openpgp/certificate/certificate.ts";
import { collect, unite } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { provenRoom, prune, storeRoom } from "../openpgp/check/prune.ts";
import { latin1 } from "../openpgp/packet/subpackets.ts";
import { readAllStored } from "../signing/stored-certificate.ts";
import type { KeyStore, KeyStoreWriter, NewKey } from "../store/key-store.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";

export interface TakenIn {
  /** The certificate in the form in which the store keeps it. */
  readonly certificate: RawCertificate;
  /** Whether the new certificate contained a verified packet that the store did not have. */
  readonly news: boolean;
  /** The number of verified signatures that were left out because of the size limit. */
  readonly left: number;
  /** The facts about the certificate, including the signatures by keys of the other available certificates. */
  readonly facts: CertificateFacts;
}

const armored = (certificate: RawCertificate) => armorCertificates([certificate]);

/** Returns certificates in the form in which the store would keep them. Certificates that feedkey can't use are left out. */
export async function pruneForStore(
  stored: readonly RawCertificate[],
  incoming: readonly RawCertificate[],
): Promise<Map<Fingerprint, TakenIn>> {
  const present = collect(stored);
  const fresh = collect(incoming);
  // The stored packets come first, so that they are kept if the size limit does not allow all packets.
  const keys = await KeyIndex.of(collect([...present.values(), ...fresh.values()]).values());
  const taken = new Map<Fingerprint, TakenIn>();
  for (const loaded of keys.certificates) {
    const { fingerprint } = loaded.raw;
    if (!fresh.has(fingerprint)) continue;
    const { certificate, facts, left } = await prune(loaded, keys, storeRoom);
    const before = present.get(fingerprint);
    const news = before === undefined || unite(before, certificate) !== before;
    taken.set(fingerprint, { certificate, facts, left, news });
  }
  return taken;
}

/** Returns the certificates with only their verified packets. The signatures are checked with the keys of all given certificates. */
export async function provenOf(certificates: readonly RawCertificate[]): Promise<Map<Fingerprint, RawCertificate>> {
  const keys = await KeyIndex.of(collect(certificates).values());
  const proven = new Map<Fingerprint, RawCertificate>();
  for (const loaded of keys.certificates) {
    proven.set(loaded.raw.fingerprint, (await prune(loaded, keys, provenRoom)).certificate);
  }
  return proven;
}

async function put(writer: KeyStoreWriter, stored: readonly RawCertificate[], { certificate }: TakenIn): Promise<void> {
  const { fingerprint } = certificate;
  const before = stored.find((one) => one.fingerprint === fingerprint);
  const after = armored(certificate);
  if (before === undefined || armored(before) !== after) await writer.putCertificate(fingerprint, after);
}

/**
 * Stores certificates, which may be in any order. Their signatures are checked with the given and the stored certificates.
 * @returns the stored certificates by fingerprint. Certificates that feedkey can't use are left out
 * @throws FeedkeyError `bad_config`: when the store can't be read; `output` or `locked`: when the store can't be changed
 */
export async function takeIn(
  store: KeyStore,
  certificates: readonly RawCertificate[],
): Promise<ReadonlyMap<Fingerprint, TakenIn>> {
  return await store.exclusive(async (writer) => {
    const stored = await readAllStored(store);
    const taken = await pruneForStore(stored, certificates);
    for (const one of taken.values()) await put(writer, stored, one);
    return taken;
  });
}

/**
 * Adds a signature that feedkey has just made to a certificate in the store. Existing signatures stay.
 * @param amended the certificate with the new signature
 * @throws FeedkeyError `bad_certificate`: when the size limit leaves no space for the new signature
 */
export async function amendStored(store: KeyStore, amended: RawCertificate): Promise<void> {
  await store.exclusive(async (writer) => {
    const stored = await readAllStored(store);
    const taken = (await pruneForStore(stored, [amended])).get(amended.fingerprint);
    const before = stored.find((one) => one.fingerprint === amended.fingerprint);
    const known = new Set(before === undefined ? [] : bodiesOf(before));
    const kept = new Set(taken === undefined ? [] : bodiesOf(taken.certificate));
    const made = bodiesOf(amended).filter((body) => !known.has(body));
    if (taken === undefined || made.some((body) => !kept.has(body))) throw noRoom(amended);
    await put(writer, stored, taken);
  });
}

function bodiesOf(certificate: RawCertificate): string[] {
  return packetsOf(certificate).map(({ body }) => latin1(body));
}

function noRoom({ fingerprint }: RawCertificate): FeedkeyError {
  return new FeedkeyError("bad_certificate", `the certificate ${fingerprint} is too large for another signature`, {
    details: { fingerprint },
    hint: "the certificate has too many user IDs or signatures: make a new key, or ask the key's owner to make a new key",
  });
}

/** A secret key to be added to the store. */
export interface SecretToAdd extends NewKey {
  /** Whether the key replaces the copy in the store. The key must then contain all parts of that copy. */
  readonly replaces?: boolean;
}

/**
 * Adds a key with its secret. The certificate is merged with the certificate in the store, so that a known revocation stays (T4).
 * @throws FeedkeyError `usage`: when the store already has this secret key, and `replaces` is not set; `bad_certificate`: when
 * feedkey can't use the key; `output` or `locked`: when the store can't be changed
 */
export async function addSecretKey(store: KeyStore, key: SecretToAdd): Promise<void> {
  await store.exclusive(async (writer) => {
    const { certificates } = readKeys(Buffer.from(key.certificate));
    const taken = await pruneForStore(await readAllStored(store), certificates);
    const own = taken.get(key.fingerprint)?.certificate;
    if (own === undefined)
      throw new FeedkeyError(
        "bad_certificate",
        `feedkey does not support the kind or the form of the key ${key.fingerprint}`,
      );
    if (key.replaces === true) {
      await writer.putCertificate(key.fingerprint, armored(own));
      await writer.replacePrivate(key.fingerprint, key.privateKey);
    } else await writer.add({ ...key, certificate: armored(own) });
  });
}
