/**
 * RSA and EdDSA checked by Node's own cryptography: what nearly every archive signs with. Loading the library costs 40 ms
 * of a start of 170, and one check by it ten times what the mathematics costs; so it is left for all other algorithms.
 * `test/openpgp/native-key.test.ts` holds the two against each other.
 */
import { constants, createPublicKey, type KeyObject, publicDecrypt, verify } from "node:crypto";
import { limits } from "./limits.ts";
import { readInteger } from "./mpi.ts";

/** Public-key algorithms (RFC 9580 section 9.1). */
export const algorithm = { rsa: 1, rsaEncrypt: 2, rsaSign: 3, eddsaLegacy: 22, ed25519: 27, ed448: 28 } as const;

/** A check as node takes it. */
export interface Question {
  /** Node's name of the hash; null where the data is signed as it is. */
  readonly hash: string | null;
  readonly data: Uint8Array;
  readonly key: KeyObject;
  /** The signature's numbers, each with its leading zeros. */
  readonly value: Uint8Array;
}

/** What is signed, whole and as a digest. */
export interface Message {
  /** Node's name of the hash that made the digest. */
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

export interface NativeKey {
  /** As in `KeyFacts`. */
  readonly name: string;
  readonly bits: number;
  readonly curve?: string;
  /**
   * Whether the numbers at the end of a signature packet are this key's signature over a digest.
   * @param hash Node's name of the hash that made the digest
   * @throws Error for a key or numbers that are none
   */
  isSignature(hash: string, digest: Uint8Array, numbers: Uint8Array): boolean;
  /**
   * The same check, for node to do in its own time: of a hundred thousand many at once.
   * @returns undefined for numbers that are none
   * @throws Error for a key that is none
   */
  question(message: Message, numbers: Uint8Array): Question | undefined;
}

/**
 * Takes a key's own numbers where they are in the one usual form; anything else is for the library to judge.
 * @param octet its algorithm
 * @param material what follows the packet's head (RFC 9580 section 5.5.5)
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

/** As a JWK has its numbers (RFC 7515 section 2). */
export const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** Makes the object at its first use: most keys at hand never check anything. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

// The DER of DigestInfo before the digest itself (RFC 8017 section 9.2, RFC 9580 section 5.2.2 for the old ones).
export const digestInfo: Readonly<Record<string, string>> = {
  md5: "3020300c06082a864886f70d020505000410",
  sha1: "3021300906052b0e03021a05000414",
  ripemd160: "3021300906052b2403020105000414",
  sha224: "302d300d06096086480165030402040500041c",
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
  "sha3-256": "3031300d060960864801650304020805000420",
  "sha3-512": "3051300d060960864801650304020a05000440",
};

/**
 * Whether an RSA key is open to everybody: with an exponent of 1 whatever should come out is its own signature. One that is
 * even, or an even modulus, belongs to no key pair either (RFC 8017 section 3.1).
 */
export function isOpen(modulus: Uint8Array, exponent: Uint8Array): boolean {
  const isOdd = (number: Uint8Array) => ((number.at(-1) ?? 0) & 1) === 1;
  const isOne = exponent.every((octet, place) => octet === (place === exponent.length - 1 ? 1 : 0));
  return isOne || !isOdd(exponent) || !isOdd(modulus);
}

function rsaKey(name: string, material: Uint8Array): NativeKey | undefined {
  const n = readInteger(material, 0, "exact");
  const e = n && readInteger(material, n.end, "exact");
  if (n === undefined || e?.end !== material.length) return undefined;
  // What is slow or odd is judged where all such keys are.
  if (n.bytes.length * 8 > limits.rsaBits || e.bytes.length > 8 || isOpen(n.bytes, e.bytes)) return undefined;
  const size = n.bytes.length;
  const jwk = { kty: "RSA", n: base64url(n.bytes), e: base64url(e.bytes) };
  const key = once(() => createPublicKey({ key: jwk, format: "jwk" }));
  return {
    name,
    bits: n.bits,
    question({ hash, bytes: data }, numbers) {
      const value = plainNumbers(numbers, 1, size);
      return value && { hash, data, key: key(), value };
    },
    isSignature(hash, digest, numbers) {
      const padded = plainNumbers(numbers, 1, size);
      const info = digestInfo[hash];
      if (padded === undefined || info === undefined) return false;
      const raised = publicDecrypt({ key: key(), padding: constants.RSA_NO_PADDING }, padded);
      // Encoded and compared as a whole (RFC 8017 section 8.2.2), never taken apart: so there is nothing to be lenient about.
      const tail = Buffer.concat([Buffer.from(info, "hex"), digest]);
      const filling = size - 3 - tail.length;
      if (filling < 8) return false;
      return raised.equals(Buffer.concat([Buffer.of(0, 1), Buffer.alloc(filling, 0xff), Buffer.of(0), tail]));
    },
  };
}

// 1.3.6.1.4.1.11591.15.1 behind its length (RFC 9580 section 9.2), then an integer of 263 bits: 0x40 and the point.
const legacyHead = Buffer.from("092b06010401da470f01010740", "hex");

function legacyKey(material: Uint8Array): NativeKey | undefined {
  const head = material.subarray(0, legacyHead.length);
  if (material.length !== legacyHead.length + 32 || !legacyHead.equals(head)) return undefined;
  const key = once(() => edwardsObject("Ed25519", material.subarray(legacyHead.length)));
  return {
    name: "eddsaLegacy",
    bits: 256,
    curve: "ed25519Legacy",
    ...overDigests(key, (numbers) => plainNumbers(numbers, 2, 32)),
  };
}

function edwardsKey(name: string, curve: string, point: Uint8Array): NativeKey {
  const key = once(() => edwardsObject(curve, point));
  const plain = (numbers: Uint8Array) => (numbers.length === point.length * 2 ? numbers : undefined);
  return { name, bits: name === "ed448" ? 448 : 256, ...overDigests(key, plain) };
}

/** EdDSA signs the digest as if it were the data (RFC 9580 section 5.2.3.3). */
function overDigests(
  key: () => KeyObject,
  plain: (numbers: Uint8Array) => Uint8Array | undefined,
): Pick<NativeKey, "isSignature" | "question"> {
  return {
    isSignature(_hash, digest, numbers) {
      const value = plain(numbers);
      return value !== undefined && verify(null, digest, key(), value);
    },
    question({ digest }, numbers) {
      const value = plain(numbers);
      return value && { hash: null, data: digest, key: key(), value };
    },
  };
}

/**
 * The integers of a signature one after the other, each with the leading zeros that it lacks in a packet.
 * @returns undefined for another count of them, and for one that is too long
 */
export function plainNumbers(numbers: Uint8Array, count: number, octets: number): Uint8Array | undefined {
  const value = Buffer.alloc(count * octets);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const integer = readInteger(numbers, at, "any");
    if (integer === undefined || integer.bytes.length > octets) return undefined;
    value.set(integer.bytes, (i + 1) * octets - integer.bytes.length);
    at = integer.end;
  }
  return at === numbers.length ? value : undefined;
}

function edwardsObject(curve: string, point: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: curve, x: base64url(point) }, format: "jwk" });
}
