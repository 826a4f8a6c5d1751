/**
 * Plain facts about certificates and signatures, in the words of RFC 9580, as `openpgp/` reads them from packets. Each
 * signature was verified cryptographically with the key that is named as its maker; all values come from the signature's hashed
 * area. Facts are not judgements; the rules in this folder judge them.
 */
import type { Instant } from "../time.ts";

/** The only identity of a key: 40 (v4) or 64 (v6) upper-case hex digits. */
export type Fingerprint = string;

/** The properties of a component key. */
export interface KeyFacts {
  readonly fingerprint: Fingerprint;
  readonly keyId: string;
  readonly version: number;
  /** The algorithm: `rsa`, `dsa`, `elgamal`, `ecdsa`, `ecdh`, `eddsaLegacy`, `ed25519`, `ed448`, `x25519`, `x448`, or `unknown`. */
  readonly algorithm: string;
  /** Size in bits of the RSA, DSA or ElGamal modulus, or of the curve's field; 0 if the size is unknown. */
  readonly bits: number;
  /** The curve's name in the OpenPGP library; only keys on elliptic curves have it. */
  readonly curve?: string;
  readonly createdAt: Instant;
}

/** Key flags (RFC 9580 section 5.2.3.29). */
export interface KeyFlags {
  readonly certify: boolean;
  readonly sign: boolean;
}

export interface Notation {
  readonly name: string;
  readonly value: string;
  readonly critical: boolean;
}

/** A cryptographically good signature. */
export interface SignatureFacts {
  /** Signature type octet: 0x00 data, 0x10-0x13 certification, 0x18 binding, 0x20 revocation... */
  readonly type: number;
  readonly version: number;
  /** Creation date in the hashed area. Undefined if the hashed area has no date: then no rule may accept the signature. */
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
  /** Critical subpackets and notations that feedkey does not know; any of these makes the signature void. */
  readonly unknownCritical: readonly string[];
  readonly notations: readonly Notation[];
  /** Trust signature: level (depth) and amount; 0 and 0 if the signature is not a trust signature. */
  readonly trust: { readonly level: number; readonly amount: number };
  /** SHA-256 of the body of the whole signature packet, in upper-case hex: an identifier for messages and for sorting. */
  readonly id: string;
}

/** A self-signature, direct-key signature or subkey binding: what the key says about itself. */
export interface SelfSignature extends SignatureFacts {
  /** When the key expires according to this signature; undefined if the key never expires. */
  readonly keyExpiresAt: Instant | undefined;
  /** Undefined if the signature has no key flags subpacket. */
  readonly flags: KeyFlags | undefined;
  /** In the binding of a signing subkey: the verified embedded signature (0x19) by the subkey. */
  readonly backSignature: SignatureFacts | undefined;
  /** Revocation-key subpackets: fingerprints of the keys that may revoke this key. */
  readonly designatedRevokers: readonly Fingerprint[];
}

/** Hard: compromised, no reason, unknown reason. Soft: superseded, retired, user ID no longer in use. */
export type RevocationKind = "hard" | "soft";

export interface Revocation extends SignatureFacts {
  readonly kind: RevocationKind;
  /** Reason octet (RFC 9580 section 5.2.3.31); undefined if the revocation has no reason. */
  readonly reason: number | undefined;
  readonly text: string;
}

export interface UserIdFacts {
  /** The exact bytes of the user ID, as a `latin1` string, so that comparing strings compares bytes. */
  readonly bytes: string;
  /** The user ID decoded as UTF-8, for people. */
  readonly text: string;
  readonly selfSignatures: readonly SelfSignature[];
  /** Revocations (0x30) of the user ID by its owner. */
  readonly revocations: readonly Revocation[];
  /** Certifications (0x10-0x13) by available certificates. */
  readonly certifications: readonly SignatureFacts[];
  /**
   * Fingerprints or key IDs of other certifiers whose certificates are not available. These claims are unchecked, limited to
   * the first few, and only for messages.
   */
  readonly strangers?: readonly string[];
  /** Withdrawals (0x30) of certifications, by any key. */
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
   * T7: the time at which the key expired, whatever its newer self-signatures say. The judge sets this; it is never
   * read from a packet.
   */
  readonly endedAt?: Instant;
}

/** One signature packet in a detached signature file, matched with the available keys. */
export type DataSignature =
  /** Facts for each certificate that contains the key that made the signature: two certificates may contain the same subkey. */
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
