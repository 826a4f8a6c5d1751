/**
 * Determines which keys sign a feed: the archive's key and, during a rotation, also the other key, as long as clients may know only that
 * key.
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

/** Returns, in words, what the feed's stock clients need before a new key may sign alone. */
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
  /** For each key that should sign too but can't, the reason in words. */
  readonly missing: readonly string[];
}

/** Tells how the clients of a feed treat several signatures. */
export function severalOf({ format }: Pick<ArchiveFeed, "format">): SeveralSignatures {
  return formatOf(format).signing?.several ?? "one";
}

/**
 * Finds the keys that may sign together with another key.
 * @param own all known certificates of the archive
 * @param key the key that signs in any case
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
    // If a file has a signature of version 6, apt's gpgv does not see the other signatures, and dnf and zypper can't read the file.
    const isShared = [key, other].every(({ facts }) => facts.primary.version !== 6);
    if (isShared && (await store.hasPrivate(name))) return [other];
    if (isAwaited) {
      missing.push(
        isShared
          ? `the secret key of ${name} is not in this key store`
          : "a key of version 6 can't sign together with other keys",
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
  // apt 2.6 stops at a signature that it can't verify. So the signature by the key that the oldest clients know comes first.
  return several === "any" ? [...before, key, ...after] : [...after, ...before, key];
}

/**
 * Returns the file with the signer's certificate that some clients request beside a root. Returns no file if the published file is right
 * already, or if the format has no such file. The certificate file leaves out the other keys that sign the root. zypper judges by the first
 * signature whose key is in this file; if none of the signers' keys is in it, zypper judges by the last signature (libzypp 17.25).
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
  // GnuPG 2.2 and rpm can't read a certificate file with a key of version 6.
  if (key.facts.primary.version !== 4) return [];
  const certificate = writeCertificate(minimal(key.raw, signingKeys(key.facts, at)));
  const data = Buffer.from(armor(certificate, "PUBLIC KEY BLOCK"), "utf8");
  const there = await folder.read(beside);
  return there !== undefined && Buffer.compare(there, data) === 0 ? [] : [{ name: beside, data }];
}

/** Returns the signing key and the archive's other keys that may sign now, without version 6, which older programs can't read. */
export function signersOf(known: Own, key: OwnCertificate, userId: string, at: Instant): Fingerprint[] {
  const own = [...known.values()].filter(
    ({ facts }) => claims(facts, userId) && refusePrimary(facts, at) === undefined,
  );
  const readable = [key, ...own].filter(({ facts }) => facts.primary.version === 4);
  return [...new Set(readable.sort(byAge).map(({ facts }) => facts.primary.fingerprint))];
}
