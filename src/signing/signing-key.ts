/** Opens the archive's keys in the key store for signing. */

import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { collect } from "../openpgp/certificate/merge.ts";
import { factsOf } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { fingerprintOf } from "../openpgp/packet/key-packet.ts";
import { SecretKey } from "../openpgp/secret/secret-key.ts";
import { hexDigits } from "../store/fingerprint.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { addressOf } from "../trust/identity.ts";
import { maySpeakFor } from "../trust/key-state.ts";
import { readAllStored } from "./stored-certificate.ts";

/** Returns the passphrase of a key. The passphrase comes from a person, a file or a file descriptor. */
export interface PassphraseSource {
  (fingerprint: Fingerprint): Promise<string>;
  /** Whether the source would ask a person, or has no passphrase. In this case, GnuPG's agent asks for the passphrase of a key in GnuPG. */
  readonly asks?: boolean;
}

/** A certificate from the key store, with its facts. */
export interface OwnCertificate {
  readonly raw: RawCertificate;
  readonly facts: CertificateFacts;
}

/** Compares keys for sorting. The newest key comes last. Keys of the same age are sorted by fingerprint. */
export function byAge(a: OwnCertificate, b: OwnCertificate): number {
  const [first, second] = [a.facts.primary, b.facts.primary];
  return first.createdAt - second.createdAt || (first.fingerprint < second.fingerprint ? -1 : 1);
}

/** A signer of documents for the archive: a key in the key store, or gpg. */
export type DocumentSigner = Pick<SecretKey, "signDocument">;

export interface SignerOf extends OwnCertificate {
  readonly secret: DocumentSigner;
}

export interface SigningKey extends SignerOf {
  readonly secret: SecretKey;
}

/**
 * Reads all certificates in the key store, and verifies the signatures among them.
 * @param others certificates from other places, such as GnuPG
 * @throws FeedkeyError `bad_config` if a certificate can't be read completely
 */
export async function ownCertificates(
  store: KeyStore,
  others: readonly RawCertificate[] = [],
): Promise<Map<Fingerprint, OwnCertificate>> {
  return await judgedTogether(collect([...others, ...(await readAllStored(store))]).values());
}

/** Returns certificates with their facts, after verifying the signatures among them. Leaves out certificates that can't be used. */
export async function judgedTogether(raws: Iterable<RawCertificate>): Promise<Map<Fingerprint, OwnCertificate>> {
  const keys = await KeyIndex.of(raws);
  const all = await factsOf(keys);
  return new Map(
    keys.certificates.flatMap(({ raw }, place) => {
      const facts = all[place];
      return facts === undefined ? [] : [[raw.fingerprint, { raw, facts }]];
    }),
  );
}

/**
 * Returns a certificate with only those subkeys that could have signed for the archive. Leaves out other subkeys: anyone can add a foreign
 * subkey to a copy of the certificate, and a thief of a subkey may have signed anything.
 */
export function withOwnKeys({ raw, facts }: OwnCertificate): RawCertificate {
  const own = new Set(facts.subkeys.filter(maySpeakFor).map(({ fingerprint }) => fingerprint));
  return { ...raw, subkeys: raw.subkeys.filter(({ packet }) => own.has(fingerprintOf(packet.body) ?? "")) };
}

/**
 * Returns the primary key to which a subkey belongs; undefined if no certificate lists the subkey.
 * @param own certificates from `judgedTogether`
 */
export function ownerOf(own: ReadonlyMap<Fingerprint, OwnCertificate>, subkey: Fingerprint): Fingerprint | undefined {
  const listed = [...own.values()].flatMap(({ raw, facts }) => {
    const found = facts.subkeys.find((one) => one.fingerprint === subkey && one.bindings.length > 0);
    return found === undefined ? [] : [{ owner: raw.fingerprint, bindings: found.bindings }];
  });
  // Anyone can bind a foreign subkey to a key, but a subkey makes a back-signature only for its owner.
  const acknowledged = listed.find(({ bindings }) => bindings.some(({ backSignature }) => backSignature !== undefined));
  return (acknowledged ?? listed[0])?.owner;
}

/**
 * Makes the error for a subkey's fingerprint that the user gave in place of the primary key's fingerprint.
 * @param write the text that the user must write instead
 */
export function isSubkey(subkey: Fingerprint, owner: Fingerprint, write: string): FeedkeyError {
  return new FeedkeyError(
    "not_found",
    `${subkey} is a subkey of ${owner}, but the primary key's fingerprint is needed`,
    {
      details: { fingerprint: subkey, primary: owner },
      hint: `write ${write}: feedkey chooses the signing subkey`,
    },
  );
}

/**
 * Finds the key that the user named.
 * @throws FeedkeyError as `KeyStore.resolve` does; the error for a subkey's fingerprint names the primary key
 */
export async function resolveKey(store: KeyStore, text: string): Promise<Fingerprint> {
  try {
    return await store.resolve(text);
  } catch (error) {
    const subkey = hexDigits(text);
    const isMissing = error instanceof FeedkeyError && error.code === "not_found";
    const owner = isMissing ? ownerOf(await ownCertificates(store), subkey) : undefined;
    throw owner === undefined ? error : isSubkey(subkey, owner, owner);
  }
}

/**
 * Opens a key for signing.
 * @param fingerprint the full fingerprint, as the user wrote it
 * @param certificates the certificates in the key store, if the caller has already read them
 * @throws FeedkeyError `usage`, `not_found`, `bad_certificate`; `bad_config` if the passphrase is wrong or missing, or if other users can
 *   read the key's file
 */
export async function openSigningKey(
  store: KeyStore,
  fingerprint: string,
  passphrase: PassphraseSource,
  certificates?: ReadonlyMap<Fingerprint, OwnCertificate>,
): Promise<SigningKey> {
  const name = await resolveKey(store, fingerprint);
  const armored = await store.privateKey(name);
  const own = (certificates ?? (await ownCertificates(store))).get(name);
  if (own === undefined) {
    throw new FeedkeyError("bad_certificate", `the certificate of ${name} in the key store can't be read`, {
      details: { fingerprint: name },
      hint: `restore certs/${name}.asc from a backup`,
    });
  }
  const secret = await SecretKey.open(armored, () => passphrase(name));
  if (secret.fingerprint !== name) {
    throw new FeedkeyError("bad_certificate", `private/${name}.asc contains another key, ${secret.fingerprint}`, {
      details: { fingerprint: name },
      hint: "restore the key store from a backup",
    });
  }
  return { ...own, secret };
}

/**
 * Returns the domain for feedkey's notations: the configured domain, or the domain of the first address in the certificate's user IDs.
 * @param configured the domain that the keeper chose, for keys whose user ID has no address
 * @throws FeedkeyError `bad_config` if neither the keeper nor a user ID gives a domain
 */
export function notationDomain({ facts }: OwnCertificate, configured?: string): string {
  if (configured !== undefined) return configured;
  for (const { bytes } of facts.userIds) {
    const domain = addressOf(bytes)?.split("@")[1];
    if (domain !== undefined && domain !== "") return domain;
  }
  const names = facts.userIds.map(({ text }) => `"${escapeText(text)}"`).join(", ");
  throw new FeedkeyError("bad_config", `key ${facts.primary.fingerprint} has no user ID with an address: ${names}`, {
    details: { fingerprint: facts.primary.fingerprint },
    hint: "give a domain for the notations in signatures: notation-domain = example.org in archive.ini, or --notation-domain example.org",
  });
}
