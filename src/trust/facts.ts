/**
 * Plain facts about certificates and signatures, in the terms of RFC 9580, as `openpgp/` reads them from packets. `openpgp/` has verified
 * each signature with the key that made it; all values come from the signature's hashed area. Facts are not judgements: the rules in this
 * folder judge the facts.
 */
import type { Instant } from "../time.ts";

/** A key's fingerprint, which alone identifies the key: 40 (v4) or 64 (v6) upper-case hex digits. */
export type Fingerprint = string;

/** The properties of a component key. */
export interface KeyFacts {
  readonly fingerprint: Fingerprint;
  readonly keyId: string;
  readonly version: number;
  /** The algorithm: `rsa`, `dsa`, `elgamal`, `ecdsa`, `ecdh`, `eddsaLegacy`, `ed25519`, `ed448`, `x25519`, `x448`, or `unknown`. */
  readonly algorithm: string;
  /** The size in bits of the RSA, DSA or ElGamal modulus, or of the elliptic curve's field; 0 if the size is unknown. */
  readonly bits: number;
  /** The curve's name, as the OpenPGP library writes it; only keys on elliptic curves have this field. */
  readonly curve?: string;
  readonly createdAt: Instant;
}

/** The key flags of a primary key or subkey (RFC 9580 section 5.2.3.29). */
export interface KeyFlags {
  readonly certify: boolean;
  readonly sign: boolean;
}

export interface Notation {
  readonly name: string;
  readonly value: string;
  readonly critical: boolean;
}

/** A signature that has been verified with its maker's key. Whether it counts is for the rules to decide. */
export interface SignatureFacts {
  /** The signature type octet: 0x00 data, 0x10-0x13 certification, 0x18 subkey binding, 0x20 key revocation... */
  readonly type: number;
  readonly version: number;
  /**
   * The creation date in the hashed area; undefined if the hashed area has no date. Without a date, only revocations and withdrawals count.
   */
  readonly createdAt: Instant | undefined;
  /** When the signature itself expires; undefined if it never expires. */
  readonly expiresAt: Instant | undefined;
  /** The name of the hash algorithm: `sha256`, `sha512`, `sha1`, `md5`..., or `unknown`. */
  readonly hash: string;
  /** The certificate to which the signing key belongs. */
  readonly certificate: Fingerprint;
  /** The component key that made the signature: the certificate's primary key or a subkey. */
  readonly key: Fingerprint;
  readonly exportable: boolean;
  /** The critical subpackets and notations that feedkey does not know. A signature with any of these does not count. */
  readonly unknownCritical: readonly string[];
  readonly notations: readonly Notation[];
  /** The trust signature subpacket: level (depth) and amount; both are 0 if the signature is not a trust signature. */
  readonly trust: { readonly level: number; readonly amount: number };
  /** The SHA-256 digest of the signature packet's body, in upper-case hex: identifies the signature in messages and when sorting. */
  readonly id: string;
}

/** A self-signature over a user ID, a direct-key signature or a subkey binding: what the primary key says about its own certificate. */
export interface SelfSignature extends SignatureFacts {
  /** When the primary key or subkey expires according to this signature; undefined if the key never expires. */
  readonly keyExpiresAt: Instant | undefined;
  /** The key flags; undefined if the signature has no key flags subpacket. */
  readonly flags: KeyFlags | undefined;
  /** The verified back-signature (0x19) by the subkey, embedded in the binding of a signing subkey. */
  readonly backSignature: SignatureFacts | undefined;
  /** The fingerprints of the keys that may revoke this key, from revocation-key subpackets. */
  readonly designatedRevokers: readonly Fingerprint[];
}

/**
 * The effect of a revocation, by its reason. Hard: compromised, no reason, unknown reason. Soft: superseded, retired, user ID no longer in
 * use.
 */
export type RevocationKind = "hard" | "soft";

export interface Revocation extends SignatureFacts {
  readonly kind: RevocationKind;
  /** The reason octet (RFC 9580 section 5.2.3.31); undefined if the revocation has no reason. */
  readonly reason: number | undefined;
  readonly text: string;
}

export interface UserIdFacts {
  /** The exact bytes of the user ID, as a `latin1` string, so that comparing strings compares bytes. */
  readonly bytes: string;
  /** The user ID decoded as UTF-8, for people. */
  readonly text: string;
  readonly selfSignatures: readonly SelfSignature[];
  /** The owner's own revocations (0x30) of the user ID. */
  readonly revocations: readonly Revocation[];
  /** The certifications (0x10-0x13) of the user ID by other keys whose certificates are available. */
  readonly certifications: readonly SignatureFacts[];
  /**
   * Fingerprints or key IDs of other certifiers whose certificates are not available. These certifications can't be verified. feedkey keeps
   * only the first few, for messages.
   */
  readonly strangers?: readonly string[];
  /** Withdrawals (0x30): revocations of certifications, by the keys that certified the user ID. */
  readonly withdrawals: readonly Revocation[];
}

export interface SubkeyFacts extends KeyFacts {
  readonly bindings: readonly SelfSignature[];
  readonly revocations: readonly Revocation[];
}

export interface CertificateFacts {
  readonly primary: KeyFacts;
  readonly directSignatures: readonly SelfSignature[];
  /** Key revocations (0x20) by the key itself, or by a revoker that the key designated. */
  readonly revocations: readonly Revocation[];
  readonly userIds: readonly UserIdFacts[];
  readonly subkeys: readonly SubkeyFacts[];
  /**
   * T7: the time at which the key expired, whatever its newer self-signatures say. Only the judge sets this field; no packet contains it.
   */
  readonly endedAt?: Instant;
}

/** One signature packet in a detached signature file, matched with the available keys. */
export type DataSignature =
  /**
   * The facts of the signature, once for each certificate that contains the key that made it: two certificates may contain the same subkey.
   */
  | { readonly status: "good"; readonly makers: readonly SignatureFacts[] }
  /** The signature names an available key as its maker, but does not verify. `certificates` are those that contain such a key. */
  | {
      readonly status: "bad";
      readonly issuer: string;
      readonly certificates: readonly Fingerprint[];
      readonly reason: string;
      readonly hint?: string;
    }
  /** The signature names no available key as its maker. */
  | { readonly status: "unknown"; readonly issuer: string };
