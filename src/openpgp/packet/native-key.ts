/**
 * Checks signatures with Node's own cryptography. This file also reads RSA and EdDSA keys, which nearly every archive uses. The
 * OpenPGP library, which loads slowly, reads all other keys. `test/openpgp/native-key.test.ts` compares this file with the library.
 */
import { createPublicKey, createVerify, type KeyObject, verify } from "node:crypto";
import { isDsaSignature } from "./dsa.ts";
import { limits } from "./limits.ts";
import { readIntegers } from "./mpi.ts";

/** Public-key algorithms (RFC 9580 section 9.1). */
export const algorithm = {
  rsa: 1,
  rsaEncrypt: 2,
  rsaSign: 3,
  dsa: 17,
  ecdsa: 19,
  eddsaLegacy: 22,
  ed25519: 27,
  ed448: 28,
} as const;

/** The signed data, as bytes and as a digest. */
export interface Message {
  /** Node's name for the hash algorithm of the digest. */
  readonly hash: string;
  /**
   * Yields the parts of the data in order. A later part or message may overwrite the memory of a part, so the caller must use each
   * part immediately.
   */
  readonly parts: () => Iterable<Uint8Array>;
  readonly digest: Uint8Array;
}

/**
 * Checks whether the numbers at the end of a signature packet are a valid signature by a key.
 * @param together whether to use Node's threads, which help only for many simultaneous checks: starting a thread takes longer
 *   than a single check
 * @throws Error if the key or the numbers are malformed
 */
export type Check = (message: Message, numbers: Uint8Array, together: boolean) => boolean | Promise<boolean>;

interface NativeKey {
  /** The algorithm's name, as in `KeyFacts`. */
  readonly name: string;
  readonly bits: number;
  readonly curve?: string;
  readonly isSignature: Check;
}

/**
 * Reads the key material of a public key. Returns undefined for a rare algorithm or unusual material. The OpenPGP library then
 * reads the key.
 * @param octet the octet of the key's algorithm
 * @param material the data after the head of the packet (RFC 9580 section 5.5.5)
 */
export function nativeKey(version: number, octet: number, material: Uint8Array): NativeKey | undefined {
  if (octet === algorithm.rsa || octet === algorithm.rsaSign || octet === algorithm.rsaEncrypt) {
    return rsaKey(octet === algorithm.rsaEncrypt ? "rsaEncrypt" : "rsa", material);
  }
  if (octet === algorithm.eddsaLegacy) return version === 4 ? legacyKey(material) : undefined;
  if (octet === algorithm.ed25519 && material.length === 32) return edwardsKey("ed25519", "Ed25519", material);
  if (octet === algorithm.ed448 && material.length === 57) return edwardsKey("ed448", "Ed448", material);
  return undefined;
}

/** Encodes a number as in a JWK (RFC 7515 section 2). */
export const base64url = (bytes: Uint8Array) =>
  Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Returns a function that creates an object only when first called, because most keys never check a signature. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * Whether anyone can forge signatures by an RSA key. With an exponent of 1, every message is its own signature. Also returns true
 * for an even exponent or modulus, which a real key never has (RFC 8017 section 3.1).
 */
export function isOpen(modulus: Uint8Array, exponent: Uint8Array): boolean {
  const isOdd = (number: Uint8Array) => ((number.at(-1) ?? 0) & 1) === 1;
  const isOne = exponent.every((octet, place) => octet === (place === exponent.length - 1 ? 1 : 0));
  return isOne || !isOdd(exponent) || !isOdd(modulus);
}

function rsaKey(name: string, material: Uint8Array): NativeKey | undefined {
  const [n, e] = readIntegers(material, 2, "exact") ?? [];
  if (n === undefined || e === undefined) return undefined;
  // The OpenPGP library reads slow and unusual keys, and `library-key.ts` refuses them.
  if (n.bytes.length * 8 > limits.rsaBits || e.bytes.length > 8 || isOpen(n.bytes, e.bytes)) return undefined;
  const size = n.bytes.length;
  const jwk = { kty: "RSA", n: base64url(n.bytes), e: base64url(e.bytes) };
  const key = once(() => createPublicKey({ key: jwk, format: "jwk" }));
  return { name, bits: n.bits, isSignature: overMessage(key, 1, size) };
}

/**
 * Returns a check that hashes the message itself.
 * @param count the number of integers in a signature
 * @param octets the size of each integer
 */
function overMessage(key: () => KeyObject, count: number, octets: number): Check {
  return ({ hash, parts }, numbers, together) => {
    const value = plainNumbers(numbers, count, octets);
    if (value === undefined) return false;
    const input = { key: key(), dsaEncoding: "ieee-p1363" } as const;
    if (together) return inThread(hash, Buffer.concat(Array.from(parts(), (part) => Buffer.from(part))), input, value);
    const check = createVerify(hash);
    for (const part of parts()) check.update(part);
    return check.verify(input, value);
  };
}

type Input = Parameters<typeof verify>[2];

function inThread(hash: string | null, data: Uint8Array, input: Input, value: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    verify(hash, data, input, value, (error, made) => resolve(error === null && made));
  });
}

// The length and the object identifier 1.3.6.1.4.1.11591.15.1 (RFC 9580 section 9.2), then the start of an integer of 263 bits: 0x40.
// The point follows.
const legacyHead = Buffer.from("092b06010401da470f01010740", "hex");

function legacyKey(material: Uint8Array): NativeKey | undefined {
  const head = material.subarray(0, legacyHead.length);
  if (material.length !== legacyHead.length + 32 || Buffer.compare(legacyHead, head) !== 0) return undefined;
  const key = once(() => edwardsObject("Ed25519", material.subarray(legacyHead.length)));
  return {
    name: "eddsaLegacy",
    bits: 256,
    curve: "ed25519Legacy",
    isSignature: overDigest(key, (numbers) => plainNumbers(numbers, 2, 32)),
  };
}

function edwardsKey(name: string, curve: string, point: Uint8Array): NativeKey {
  const key = once(() => edwardsObject(curve, point));
  const plain = (numbers: Uint8Array) => (numbers.length === point.length * 2 ? numbers : undefined);
  return { name, bits: name === "ed448" ? 448 : 256, isSignature: overDigest(key, plain) };
}

/** Returns a check over the digest, because EdDSA in OpenPGP signs the digest instead of the data (RFC 9580 section 5.2.3.3). */
function overDigest(key: () => KeyObject, plain: (numbers: Uint8Array) => Uint8Array | undefined): Check {
  return ({ digest }, numbers, together) => {
    const value = plain(numbers);
    if (value === undefined) return false;
    return together ? inThread(null, digest, key(), value) : verify(null, digest, key(), value);
  };
}

/**
 * Returns the integers of a signature in order, padded with the leading zeros that a packet omits.
 * @returns undefined if the number of integers is wrong or an integer is too long
 */
function plainNumbers(numbers: Uint8Array, count: number, octets: number): Uint8Array | undefined {
  const found = readIntegers(numbers, count, "any");
  if (found === undefined || found.some(({ bytes }) => bytes.length > octets)) return undefined;
  const value = Buffer.alloc(count * octets);
  for (const [place, { bytes }] of found.entries()) value.set(bytes, (place + 1) * octets - bytes.length);
  return value;
}

function edwardsObject(curve: string, point: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: curve, x: base64url(point) }, format: "jwk" });
}

/**
 * Returns the check for a key that the OpenPGP library has read: ECDSA on any curve, or DSA.
 * @returns undefined for any other algorithm, and for a key that Node refuses
 */
export function rareCheck(octet: number, material: Uint8Array): Check | undefined {
  try {
    if (octet === algorithm.ecdsa) return elliptic(material);
    return octet === algorithm.dsa ? digitalSignature(material) : undefined;
  } catch {
    // The point is not on the curve, or this machine does not support the curve.
    return undefined;
  }
}

const ecPublicKey = Buffer.from("06072a8648ce3d0201", "hex");

/**
 * Returns the check for ECDSA on any curve. The key material names the curve by its object identifier (RFC 9580 section 5.5.5.4;
 * RFC 5480 section 2).
 */
function elliptic(material: Uint8Array): Check | undefined {
  const curve = material.subarray(1, 1 + (material[0] ?? 0));
  const point = readIntegers(material.subarray(1 + curve.length), 1, "exact")?.[0]?.bytes;
  // feedkey accepts only uncompressed points.
  if (point?.[0] !== 4) return undefined;
  const key = publicKey([ecPublicKey, der(0x06, [curve])], point);
  return overMessage(() => key, 2, (point.length - 1) / 2);
}

/**
 * Returns the check for DSA over a key's p, q, g and y (RFC 3279 section 2.3.2). OpenSSL checks the signatures, except signatures
 * with hashes that OpenSSL 3.4 and later refuse.
 */
function digitalSignature(material: Uint8Array): Check | undefined {
  const [p, q, g, y] = readIntegers(material, 4, "exact")?.map(({ bytes }) => bytes) ?? [];
  if (p === undefined || q === undefined || g === undefined || y === undefined) return undefined;
  const key = publicKey([dsaPublicKey, der(0x30, [p, q, g].map(derInteger))], derInteger(y));
  const byNode = overMessage(() => key, 2, q.length);
  return (message, numbers, together) => {
    if (!refusedByNode.has(message.hash)) return byNode(message, numbers, together);
    const value = plainNumbers(numbers, 2, q.length);
    return value !== undefined && isDsaSignature({ p, q, g, y }, message.digest, value);
  };
}

const dsaPublicKey = Buffer.from("06072a8648ce380401", "hex");
const refusedByNode = new Set(["md5", "ripemd160"]);

function publicKey(identifier: readonly Uint8Array[], bits: Uint8Array): KeyObject {
  const key = der(0x30, [der(0x30, identifier), der(0x03, [Buffer.of(0), bits])]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** Encodes a value in DER (X.690): first the tag, then the length, then the content. */
function der(tag: number, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

/** Encodes an integer in DER, with a leading zero octet if it would otherwise be negative. */
function derInteger(number: Uint8Array): Buffer {
  return der(0x02, [(number[0] ?? 0) < 0x80 ? number : Buffer.concat([Buffer.of(0), number])]);
}
