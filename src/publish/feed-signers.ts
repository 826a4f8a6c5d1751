/**
 * Determines which keys sign a feed: the archive's key and, during a rotation, also the other key, while some clients may know only the
 * other key.
 */
import type { SeveralSignatures, Signing } from "../formats/format.ts";
import { formatOf } from "../formats/formats.ts";
import { writeCertificate } from "../openpgp/certificate/certificate.ts";
import { minimal } from "../openpgp/certificate/minimal.ts";
import { armor } from "../openpgp/packet/armor.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { claims, type Own } from "../signing/delegate-check.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { certifications, rotationState } from "../signing/rotation-state.ts";
import { byAge, type OwnCertificate } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import type { FileWrite } from "./feed-layout.ts";

export type { SeveralSignatures } from "../formats/format.ts";

/** Returns the end of the sentence "its stock clients need ...": the conditions before only a new key may sign a feed. */
export function clientsNeed({ format }: Pick<ArchiveFeed, "format">): string {
  return formatOf(format).needs;
}

/** The key that signs, and the keys that may sign together with it. */
export interface KeysAround<Key> {
  readonly key: Key;
  /** The predecessor, if it is not retired yet. */
  readonly before: readonly Key[];
  /** The successor, if there is one. */
  readonly after: readonly Key[];
}

/** The archive's keys in a rotation. */
export interface Signers extends KeysAround<OwnCertificate> {
  /** For each key that should also sign but can't, a text with the reason. */
  readonly missing: readonly string[];
}

/** Returns how the clients of a feed treat several signatures. */
export function severalOf({ format }: Pick<ArchiveFeed, "format">): SeveralSignatures {
  return formatOf(format).signing?.several ?? "one";
}

/**
 * Finds the keys that may sign together with another key.
 * @param own all known certificates of the archive
 * @param key the key that always signs
 */
export async function signersBeside(
  own: Own,
  key: OwnCertificate,
  userId: string,
  store: KeyStore,
  at: Instant,
): Promise<Signers> {
  const { predecessor, successor } = rotationState(own, key, userId, at);
  const missing: string[] = [];
  const usable = async (other: OwnCertificate | undefined, isAwaited: boolean) => {
    if (other === undefined || signingKeys(other.facts, at).size === 0) return [];
    const name = other.raw.fingerprint;
    // If a file has a version 6 signature, apt's gpgv does not see the other signatures, and dnf and zypper can't read the file.
    const isShared = [key, other].every(({ facts }) => facts.primary.version !== 6);
    if (isShared && (await store.hasPrivate(name))) return [other];
    if (isAwaited) {
      missing.push(
        isShared
          ? `the secret key of ${name} is not in this key store`
          : "a version 6 key can't sign together with other keys",
      );
    }
    return [];
  };
  const back = predecessor && certifications(predecessor.facts, key.raw.fingerprint, userId, at);
  const isOverlap = back?.some(({ expiresAt }) => (expiresAt ?? 0) > at) === true;
  return { key, before: await usable(predecessor, isOverlap), after: await usable(successor, true), missing };
}

/** Returns the keys that sign a file, in the order of their signatures. */
export function inOrder<Key>(several: SeveralSignatures, { key, before, after }: KeysAround<Key>): readonly Key[] {
  if (several === "one") return [key];
  // apt 2.6 stops at a signature that it can't verify. So the first signature must be by a key that even the oldest clients know.
  return several === "any" ? [...before, key, ...after] : [...after, ...before, key];
}

/**
 * Returns the file with the signer's certificate that some clients request together with a root. Returns no file if the published file is
 * already right, or if the format has no certificate file. The file omits the other keys that sign the root. zypper uses the first
 * signature whose key is in the file. If the file has no signer's key, zypper uses the last signature (libzypp 17.25).
 * @param name the name of the root
 */
export async function certificateBeside(
  folder: Pick<FolderView, "read">,
  name: string,
  signing: Signing | undefined,
  { key }: Pick<KeysAround<OwnCertificate>, "key">,
  at: Instant,
): Promise<FileWrite[]> {
  const beside = signing?.certificate?.(name);
  if (beside === undefined) return [];
  // GnuPG 2.2 and rpm can't read a certificate file with a version 6 key.
  if (key.facts.primary.version !== 4) return [];
  const certificate = writeCertificate(minimal(key.raw, signingKeys(key.facts, at)));
  const data = Buffer.from(armor(certificate, "PUBLIC KEY BLOCK"), "utf8");
  const there = await folder.read(beside);
  return there !== undefined && Buffer.compare(there, data) === 0 ? [] : [{ name: beside, data }];
}

/** Returns the signing key and the archive's other keys that may sign now. Omits version 6 keys, which older programs can't read. */
export function signersOf(known: Own, key: OwnCertificate, userId: string, at: Instant): Fingerprint[] {
  const own = [...known.values()].filter(
    ({ facts }) => claims(facts, userId) && refusePrimary(facts, at) === undefined,
  );
  const readable = [key, ...own].filter(({ facts }) => facts.primary.version === 4);
  return [...new Set(readable.sort(byAge).map(({ facts }) => facts.primary.fingerprint))];
}
