/**
 * The only code that adds certificates to the key store. New packets are merged with the known packets, and unverified
 * packets are dropped. So a signature that anybody added to a certificate never displaces a revocation or a withdrawal.
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
  /** The certificate as it is in the store now. */
  readonly certificate: RawCertificate;
  /** Whether the certificate brought anything that the store did not know. */
  readonly news: boolean;
  /** The number of verified signatures that were left out because of the size limit. */
  readonly left: number;
  /** The facts about the certificate, with the signatures by all available certificates. */
  readonly facts: CertificateFacts;
}

const armored = (certificate: RawCertificate) => armorCertificates([certificate]);

/** Returns certificates as the store would keep them; certificates of a kind that can't be used are left out. */
export async function pruneForStore(
  stored: readonly RawCertificate[],
  incoming: readonly RawCertificate[],
): Promise<Map<Fingerprint, TakenIn>> {
  const present = collect(stored);
  const fresh = collect(incoming);
  // Stored packets come first, so that they stay if the size limit does not allow all packets.
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

/** Returns the verified packets of certificates, whose signatures are checked with all these certificates. */
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
 * Stores certificates, given in any order. Their signatures are checked with the given and the stored certificates.
 * @returns the stored certificates by fingerprint, without certificates of a kind that can't be used
 * @throws FeedkeyError `bad_config` if the store can't be read; `output`; `locked`
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
 * Adds a signature that was just made here to a certificate in the store; existing signatures stay.
 * @param amended the certificate with the new signature
 * @throws FeedkeyError `bad_certificate` if the size limit leaves no space for the signature: a lost signature must not
 * look like success
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
  return new FeedkeyError("bad_certificate", `the certificate ${fingerprint} has no room for one more signature`, {
    details: { fingerprint },
    hint: "the certificate is full of user IDs or signatures: make a new key, or ask its owner for one",
  });
}

/** A secret key to be added to the store. */
export interface SecretToAdd extends NewKey {
  /** Whether the key replaces the copy in the store, because it contains all parts of that copy. */
  readonly replaces?: boolean;
}

/**
 * Adds a key with its secret. The certificate is merged with what the store already knows, above all with a revocation
 * (T4).
 * @throws FeedkeyError `usage` if the store already has this secret key; `bad_certificate`; `output`; `locked`
 */
export async function addSecretKey(store: KeyStore, key: SecretToAdd): Promise<void> {
  await store.exclusive(async (writer) => {
    const { certificates } = readKeys(Buffer.from(key.certificate));
    const taken = await pruneForStore(await readAllStored(store), certificates);
    const own = taken.get(key.fingerprint)?.certificate;
    if (own === undefined)
      throw new FeedkeyError("bad_certificate", `${key.fingerprint} is of a kind or form that feedkey can't use`);
    if (key.replaces === true) {
      await writer.putCertificate(key.fingerprint, armored(own));
      await writer.replacePrivate(key.fingerprint, key.privateKey);
    } else await writer.add({ ...key, certificate: armored(own) });
  });
}
