/**
 * Plain facts about certificates and signatures (RFC 9580 words), as `openpgp/` reads them from packets. Each signature was
 * verified cryptographically with the key named as its maker, and has only values of its hashed area. Facts are not judgements;
 * the rules of this folder judge them.
 */
import type { Instant } from "../time.ts";

/** Upper-case hex, 40 digits (v4) or 64 (v6). The only identity of a key. */
export type Fingerprint = string;

/** The properties of a component key. */
export interface KeyFacts {
  readonly fingerprint: Fingerprint;
  readonly keyId: string;
  readonly version: number;
  /** `rsa`, `dsa`, `elgamal`, `ecdsa`, `ecdh`, `eddsaLegacy`, `ed25519`, `ed448`, `x25519`, `x448`, or `unknown`. */
  readonly algorithm: string;
  /** Size of the RSA, DSA or ElGamal modulus; of the field for curves; 0 if unknown. */
  readonly bits: number;
  /** Elliptic curves: the library's name of it. */
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
  /** Hashed creation date. Undefined when the hashed area has none: then no rule may accept it. */
  readonly createdAt: Instant | undefined;
  /** When the signature itself expires, if ever. */
  readonly expiresAt: Instant | undefined;
  /** `sha256`, `sha512`, `sha1`, `md5`..., `unknown`. */
  readonly hash: string;
  /** Certificate that the making key belongs to. */
  readonly certificate: Fingerprint;
  /** The component key that made it: the certificate's primary or a subkey. */
  readonly key: Fingerprint;
  readonly exportable: boolean;
  /** Subpackets and notations marked critical that feedkey does not know; any of them makes the signature void. */
  readonly unknownCritical: readonly string[];
  readonly notations: readonly Notation[];
  /** Trust signature: level (depth) and amount, 0 and 0 where there is none. */
  readonly trust: { readonly level: number; readonly amount: number };
  /** SHA-256 over the whole signature packet's body, upper-case hex: an identifier for messages and for sorting. */
  readonly id: string;
}

/** A self-signature, direct-key signature or subkey binding: what the key says about itself. */
export interface SelfSignature extends SignatureFacts {
  /** When the key expires by this signature; undefined: never. */
  readonly keyExpiresAt: Instant | undefined;
  /** Undefined if the signature has no flags subpacket. */
  readonly flags: KeyFlags | undefined;
  /** Bindings of signing subkeys: the verified embedded signature 0x19 by the subkey. */
  readonly backSignature: SignatureFacts | undefined;
  /** Revocation-key subpackets: fingerprints of those who may revoke this key. */
  readonly designatedRevokers: readonly Fingerprint[];
}

/** Hard: compromised, no reason, unknown reason. Soft: superseded, retired, user ID no longer in use. */
export type RevocationKind = "hard" | "soft";

export interface Revocation extends SignatureFacts {
  readonly kind: RevocationKind;
  /** Reason octet (RFC 9580 section 5.2.3.31); undefined if there is none. */
  readonly reason: number | undefined;
  readonly text: string;
}

export interface UserIdFacts {
  /** The exact bytes, as a `latin1` string so that comparing strings compares bytes. */
  readonly bytes: string;
  /** The bytes as UTF-8, for people. */
  readonly text: string;
  readonly selfSignatures: readonly SelfSignature[];
  /** Revocations (0x30) of the user ID by its owner. */
  readonly revocations: readonly Revocation[];
  /** Certifications (0x10-0x13) by the available certificates. */
  readonly certifications: readonly SignatureFacts[];
  /**
   * Fingerprints or key IDs of makers whose certificates are not available, as further certifications claim: unchecked, only
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
  /** Key revocations (0x20) by the key itself or by a revoker that it designated. */
  readonly revocations: readonly Revocation[];
  readonly userIds: readonly UserIdFacts[];
  readonly subkeys: readonly SubkeyFacts[];
  /** T7: the key expired then, whatever its newer self-signatures say. Set by the judge, never read from a packet. */
  readonly endedAt?: Instant;
}

/** One signature packet of a detached signature file, matched with the available keys. */
export type DataSignature =
  /** One for each certificate that contains the key which made it: two may contain the same subkey. */
  | { readonly status: "good"; readonly makers: readonly SignatureFacts[] }
  /** An available key is named as its maker, but the signature does not verify. `certificates`: those that contain such a key. */
  | {
      readonly status: "bad";
      readonly issuer: string;
      readonly certificates: readonly Fingerprint[];
      readonly reason: string;
      readonly hint?: string;
    }
  /** No available key is named as its maker. */
  | { readonly status: "unknown"; readonly issuer: string };
