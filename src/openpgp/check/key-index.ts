/** Finds the keys that may have made a signature, among all available primary keys and subkeys. */
import { append } from "../../grouped.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { refuseWeakKey } from "../../trust/policy.ts";
import type { RawCertificate } from "../certificate/certificate.ts";
import { type LoadedKey, loadKey } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { RawSignature } from "../packet/raw-signature.ts";

/** A certificate with its primary key and subkeys, loaded for checking signatures. */
export interface LoadedCertificate {
  readonly raw: RawCertificate;
  readonly primary: LoadedKey;
  /** The subkeys, in the order of `raw.subkeys`. The entry for an unusable subkey is undefined. */
  readonly subkeys: readonly (LoadedKey | undefined)[];
}

/** Loads the primary key and the subkeys of a certificate. @returns undefined if feedkey can't use the primary key */
export async function loadCertificate(raw: RawCertificate): Promise<LoadedCertificate | undefined> {
  const primary = await loadKey(raw.primary.body, raw.fingerprint);
  if (primary === undefined) return undefined;
  const subkeys: (LoadedKey | undefined)[] = [];
  for (const { packet } of raw.subkeys) subkeys.push(await loadKey(packet.body, raw.fingerprint));
  return { raw, primary, subkeys };
}

export class KeyIndex {
  readonly #byFingerprint = new Map<Fingerprint, LoadedKey[]>();
  readonly #byKeyId = new Map<string, LoadedKey[]>();
  readonly certificates: readonly LoadedCertificate[];
  #weakChecks = limits.weakChecks;

  constructor(certificates: readonly LoadedCertificate[]) {
    this.certificates = certificates;
    for (const certificate of certificates) {
      for (const key of [certificate.primary, ...certificate.subkeys]) {
        if (key === undefined) continue;
        append(this.#byFingerprint, key.facts.fingerprint, key);
        append(this.#byKeyId, key.facts.keyId, key);
      }
    }
  }

  static async of(certificates: Iterable<RawCertificate>): Promise<KeyIndex> {
    const loaded: LoadedCertificate[] = [];
    for (const raw of certificates) {
      const certificate = await loadCertificate(raw);
      if (certificate !== undefined) loaded.push(certificate);
    }
    return new KeyIndex(loaded);
  }

  /**
   * Whether to check another signature by a key. No rule lets a weak key (T3e) sign or certify, so checking a weak key's
   * signatures only improves messages. DSA is slow, so the number of checks with weak keys is limited.
   */
  affords({ facts }: LoadedKey): boolean {
    if (refuseWeakKey(facts) === undefined) return true;
    this.#weakChecks--;
    return this.#weakChecks >= 0;
  }

  /**
   * Returns every key that may be the maker named by a signature. The caller must try all returned keys, because two keys may have
   * the same key ID, and two certificates may list the same subkey.
   */
  candidates({ issuer }: RawSignature): readonly LoadedKey[] {
    if (issuer.fingerprint !== undefined) return this.#byFingerprint.get(issuer.fingerprint) ?? [];
    return issuer.keyId === undefined ? [] : (this.#byKeyId.get(issuer.keyId) ?? []);
  }
}
