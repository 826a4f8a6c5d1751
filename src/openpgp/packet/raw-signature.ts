/** Parses signature packets strictly. `check-signature.ts` verifies them. */
import { createHash } from "node:crypto";
import type { Fingerprint, SignatureFacts } from "../../trust/facts.ts";
import { keyIdOf, type LoadedKey } from "./key-packet.ts";
import {
  areaOfRevocation,
  type HashedArea,
  hex,
  readHashedArea,
  readSubpackets,
  readSubpacketsLeniently,
  SubpacketError,
} from "./subpackets.ts";

/** The parts of a signature packet's body (RFC 9580 section 5.2.3). `layoutOf` finds these parts without parsing the subpackets. */
export interface SignatureLayout {
  /**
   * The signature's version. feedkey reads version 3 only for revocations, so that revocations by old programs still count, as
   * in GnuPG (T4).
   */
  readonly version: 3 | 4 | 6;
  readonly type: number;
  /** The octet of the public-key algorithm. */
  readonly algorithm: number;
  /** The name of the hash algorithm, such as `sha256`, `sha512`, `sha1` or `md5`, or `unknown`. */
  readonly hash: string;
  /** The offset at which the hashed part begins. A signature's digest covers the data, then the hashed part. */
  readonly hashedStart: number;
  /** The offset at which the hashed part ends: in versions 4 and 6, the end of the hashed area. */
  readonly hashedEnd: number;
  /** The offset at which the unhashed area ends. The first two octets of the digest follow. */
  readonly unhashedEnd: number;
  /** The offset at which the numbers begin. They follow the two octets of the digest and, in version 6, the salt. */
  readonly saltEnd: number;
}

export interface RawSignature extends SignatureLayout {
  readonly body: Uint8Array;
  /** The part of the packet that the digest covers after the data. In versions 4 and 6, this part ends with the hashed area. */
  readonly hashedPart: Uint8Array;
  readonly hashed: HashedArea;
  /** The random bytes that the digest covers before the data in version 6; empty in other versions. */
  readonly salt: Uint8Array;
  /** The first two octets of the digest, from the packet. */
  readonly digestStart: Uint8Array;
  /** The signature's numbers from the public-key algorithm. */
  readonly numbers: Uint8Array;
  /** The embedded signatures in the unhashed area. Each must be verified separately. */
  readonly embedded: readonly Uint8Array[];
  /**
   * The key that the packet names as its maker, in the hashed or the unhashed area. feedkey uses the name only to find keys that
   * may have made the signature.
   */
  readonly issuer: { readonly fingerprint: Fingerprint | undefined; readonly keyId: string | undefined };
}

const hashNames: Readonly<Record<number, string>> = {
  1: "md5",
  2: "sha1",
  3: "ripemd160",
  8: "sha256",
  9: "sha384",
  10: "sha512",
  11: "sha224",
  12: "sha3-256",
  14: "sha3-512",
};

// The salt sizes from RFC 9580 section 9.5, table 23.
const saltLengths: Readonly<Record<string, number>> = {
  sha224: 16,
  sha256: 16,
  sha384: 24,
  sha512: 32,
  "sha3-256": 16,
  "sha3-512": 32,
};

/**
 * Whether a signature type removes trust. These types are revocations of a key, a subkey or a user ID, and withdrawals of
 * certifications (RFC 9580 section 5.2.1).
 */
export function isRevocationType(type: number): boolean {
  return type === 0x20 || type === 0x28 || type === 0x30;
}

/** Returns the type octet of a signature packet's body, without reading anything else. */
export function signatureType(body: Uint8Array): number | undefined {
  return body[0] === 3 ? body[2] : body[1];
}

/**
 * Finds the parts of a signature packet's body. This function must be fast, because a flooded key has a hundred thousand signatures.
 * @returns a description of the problem if feedkey can't read signatures of this form
 */
export function layoutOf(body: Uint8Array): SignatureLayout | string {
  const [version, type, algorithm, hashOctet] = body;
  if (version === 3 && isRevocationType(body[2] ?? 0)) return layoutOfVersion3(body);
  if (version !== 4 && version !== 6) return `a signature of version ${version ?? "?"}`;
  if (type === undefined || algorithm === undefined || hashOctet === undefined) return "a signature that is cut off";
  const hashedEnd = areaEnd(body, 4, version);
  const unhashedEnd = hashedEnd && areaEnd(body, hashedEnd, version);
  if (hashedEnd === undefined || unhashedEnd === undefined) return "a signature whose areas are cut off";
  const hash = hashNames[hashOctet] ?? "unknown";
  const hashedStart = 0;
  if (version === 4) {
    return { version, type, algorithm, hash, hashedStart, hashedEnd, unhashedEnd, saltEnd: unhashedEnd + 2 };
  }
  const saltLength = body[unhashedEnd + 2];
  if (saltLength === undefined || saltLength !== saltLengths[hash]) return "a signature whose salt has a wrong length";
  return { version, type, algorithm, hash, hashedStart, hashedEnd, unhashedEnd, saltEnd: unhashedEnd + 3 + saltLength };
}

// RFC 9580 section 5.2.2: the body contains the version, the octet 5, the type, the date, the key ID, two algorithms, and two octets
// of the digest. The digest covers only the type and the date.
function layoutOfVersion3(body: Uint8Array): SignatureLayout | string {
  if (body.length < 20 || body[1] !== 5) return "a signature of version 3 that is cut off";
  const hash = hashNames[body[16] ?? 0] ?? "unknown";
  const ends = { hashedStart: 2, hashedEnd: 7, unhashedEnd: 17, saltEnd: 19 };
  return { version: 3, type: body[2] ?? 0, algorithm: body[15] ?? 0, hash, ...ends };
}

/** Returns the number of octets in an area's length field. */
function lengthOctets(version: number): number {
  return version === 6 ? 4 : 2;
}

function areaEnd(body: Uint8Array, at: number, version: number): number | undefined {
  const start = at + lengthOctets(version);
  if (start > body.length) return undefined;
  let length = 0;
  for (let i = at; i < start; i++) length = length * 256 + (body[i] ?? 0);
  return start + length > body.length ? undefined : start + length;
}

/** Parsed signatures by packet body. */
const parsed = new WeakMap<Uint8Array, RawSignature | string>();

/**
 * Parses a signature packet's body. Parses each body only once.
 * @returns a description of the problem if feedkey can't read signatures of this form
 */
export function parseSignature(body: Uint8Array): RawSignature | string {
  const known = parsed.get(body);
  if (known !== undefined) return known;
  const made = parse(body);
  parsed.set(body, made);
  return made;
}

function parse(body: Uint8Array): RawSignature | string {
  const layout = layoutOf(body);
  if (typeof layout === "string") return layout;
  const { version, type, algorithm, hash, hashedStart, hashedEnd, unhashedEnd, saltEnd } = layout;
  const octets = lengthOctets(version);
  try {
    const hashed = version === 3 ? areaOfRevocation(noBytes) : hashedArea(type, body.subarray(4 + octets, hashedEnd));
    const hints =
      version === 3 ? hintsOfVersion3(body) : unhashedHints(type, body.subarray(hashedEnd + octets, unhashedEnd));
    return {
      // The code lists each field, because spreading `layout` would be slow.
      version,
      type,
      algorithm,
      hash,
      hashedStart,
      hashedEnd,
      unhashedEnd,
      saltEnd,
      body,
      hashedPart: body.subarray(hashedStart, hashedEnd),
      hashed,
      salt: version === 6 ? body.subarray(unhashedEnd + 3, saltEnd) : noBytes,
      digestStart: body.subarray(unhashedEnd, unhashedEnd + 2),
      numbers: body.subarray(saltEnd),
      embedded: hints.embedded,
      issuer: {
        fingerprint: hashed.issuerFingerprint ?? hints.fingerprint,
        keyId: hashed.issuerKeyId ?? hints.keyId,
      },
    };
  } catch (error) {
    if (error instanceof SubpacketError) return `a signature whose ${error.message}`;
    throw error;
  }
}

const noBytes = new Uint8Array(0);

/**
 * Reads a hashed area. If the hashed area of a revocation is malformed, reads only the maker. The revocation then has no reason and
 * counts as hard (T4), because only the maker can have made the malformed area.
 */
function hashedArea(type: number, area: Uint8Array): HashedArea {
  try {
    return readHashedArea(area);
  } catch (error) {
    if (error instanceof SubpacketError && isRevocationType(type)) return areaOfRevocation(area);
    throw error;
  }
}

function unhashedHints(type: number, area: Uint8Array) {
  // In a revocation, feedkey reads a malformed unhashed area as far as possible. Anyone can change this area, and the change must
  // not hide the revocation.
  const found = isRevocationType(type) ? readSubpacketsLeniently(area) : readSubpackets(area);
  const issuer = found.find((s) => s.type === 33)?.body;
  const keyId = found.find((s) => s.type === 16)?.body;
  return {
    fingerprint: issuer && hex(issuer.subarray(1)),
    keyId: keyId && hex(keyId),
    embedded: found.filter((s) => s.type === 32).map((s) => s.body),
  };
}

function hintsOfVersion3(body: Uint8Array) {
  return { fingerprint: undefined, keyId: hex(body.subarray(7, 15)), embedded: [] };
}

/** Parses a signature packet's body; returns undefined if feedkey can't read signatures of this form. */
export function readSignature(body: Uint8Array): RawSignature | undefined {
  const raw = parseSignature(body);
  return typeof raw === "string" ? undefined : raw;
}

/** Returns the fingerprint of the key that the packet names as its maker, or the key ID if the packet has no fingerprint. */
export function makerOf({ issuer }: Pick<RawSignature, "issuer">): string | undefined {
  return issuer.fingerprint ?? issuer.keyId;
}

/** Returns the maker that a key revocation names; undefined for any other packet. */
export function revokerIn(body: Uint8Array): string | undefined {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  return raw && makerOf(raw);
}

/** Whether the packet names this key as its maker. */
export function namesIssuer({ issuer: { fingerprint, keyId } }: RawSignature, key: Fingerprint): boolean {
  return fingerprint === undefined ? keyId === keyIdOf(key) : fingerprint === key;
}

/** Returns the `id` of a signature packet in facts: the SHA-256 of the packet's body. */
export function signatureId(body: Uint8Array): string {
  return hex(createHash("sha256").update(body).digest());
}

/** Returns the facts about a signature that `maker` made. */
export function signatureFacts(raw: RawSignature, maker: LoadedKey): SignatureFacts {
  const { createdAt, signatureLifetime } = raw.hashed;
  return {
    type: raw.type,
    version: raw.version,
    createdAt,
    expiresAt:
      createdAt === undefined || signatureLifetime === undefined ? undefined : createdAt + signatureLifetime * 1000,
    hash: raw.hash,
    certificate: maker.certificate,
    key: maker.facts.fingerprint,
    exportable: raw.hashed.exportable,
    unknownCritical: raw.hashed.unknownCritical,
    notations: raw.hashed.notations,
    trust: raw.hashed.trust,
    id: signatureId(raw.body),
  };
}
