/** Signature packets: parsed strictly, and checked for their mathematics alone. */
import { createHash } from "node:crypto";
import type { Fingerprint, SignatureFacts } from "../trust/facts.ts";
import type { LoadedKey } from "./key-packet.ts";
import { libraryAgrees } from "./library-check.ts";
import { partsDigest, type SignedParts } from "./signed-digest.ts";
import { type HashedArea, hex, readHashedArea, readSubpackets, SubpacketError } from "./subpackets.ts";

export interface RawSignature {
  readonly body: Uint8Array;
  readonly version: number;
  readonly type: number;
  readonly hash: string;
  /** From the version octet to the end of the hashed area: what the signature covers beside the data. */
  readonly hashedPart: Uint8Array;
  readonly hashed: HashedArea;
  /** Version 6: random bytes hashed before the data; empty for version 4. */
  readonly salt: Uint8Array;
  /** The first octets of the digest, which stand in the packet. */
  readonly digestStart: Uint8Array;
  /** What the public-key algorithm made. */
  readonly numbers: Uint8Array;
  /** Embedded signatures of the unhashed area: they prove themselves. */
  readonly embedded: readonly Uint8Array[];
  /** Who made it, as claimed anywhere in the packet: a hint for finding candidates. */
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

// RFC 9580 section 9.5, table 23.
const saltLengths: Readonly<Record<string, number>> = {
  sha224: 16,
  sha256: 16,
  sha384: 24,
  sha512: 32,
  "sha3-256": 16,
  "sha3-512": 32,
};

/**
 * Parses a signature packet's body.
 * @returns a text that says what is wrong with it where it can't be one that feedkey knows
 */
export function parseSignature(body: Uint8Array): RawSignature | string {
  const [version, type, , hashOctet] = body;
  if (version !== 4 && version !== 6) return `a signature of version ${version ?? "?"}`;
  if (type === undefined || hashOctet === undefined) return "a signature that is cut off";
  try {
    const octets = version === 6 ? 4 : 2;
    const hashedEnd = areaEnd(body, 4, octets);
    const unhashedEnd = areaEnd(body, hashedEnd, octets);
    const hashed = readHashedArea(body.subarray(4 + octets, hashedEnd));
    const hash = hashNames[hashOctet] ?? "unknown";
    const saltLength = version === 6 ? body[unhashedEnd + 2] : 0;
    if (version === 6 && saltLength !== saltLengths[hash]) return "a signature whose salt has a wrong length";
    const saltEnd = unhashedEnd + 2 + (version === 6 ? 1 + (saltLength ?? 0) : 0);
    const hints = unhashedHints(body.subarray(hashedEnd + octets, unhashedEnd));
    return {
      body,
      version,
      type,
      hash,
      hashedPart: body.subarray(0, hashedEnd),
      hashed,
      salt: body.subarray(version === 6 ? unhashedEnd + 3 : saltEnd, saltEnd),
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

function areaEnd(body: Uint8Array, at: number, octets: number): number {
  if (at + octets > body.length) throw new SubpacketError("areas are cut off");
  const end = at + octets + Buffer.from(body.buffer, body.byteOffset, body.length).readUIntBE(at, octets);
  if (end > body.length) throw new SubpacketError("areas are cut off");
  return end;
}

function unhashedHints(area: Uint8Array) {
  const found = readSubpackets(area);
  const issuer = found.find((s) => s.type === 33)?.body;
  const keyId = found.find((s) => s.type === 16)?.body;
  return {
    fingerprint: issuer && hex(issuer.subarray(1)),
    keyId: keyId && hex(keyId),
    embedded: found.filter((s) => s.type === 32).map((s) => s.body),
  };
}

/** Whether the packet names this key as its maker, or names nobody who contradicts it. */
export function namesIssuer(raw: RawSignature, key: LoadedKey): boolean {
  const { fingerprint, keyId } = raw.issuer;
  if (fingerprint !== undefined) return fingerprint === key.facts.fingerprint;
  return keyId === key.facts.keyId;
}

/**
 * Checks the mathematics of a signature, and nothing else: no dates, no flags, no opinion on algorithms.
 * @param over the parts signed, or the finished digest over a document
 */
export async function isMadeBy(raw: RawSignature, maker: LoadedKey, over: SignedParts | Uint8Array): Promise<boolean> {
  // A hashed fingerprint is the maker's own word: another key with the same key ID is not it.
  const claimed = raw.hashed.issuerFingerprint;
  if (claimed !== undefined && claimed !== maker.facts.fingerprint) return false;
  // Section 5.2: each version of key makes signatures of its own version.
  if (raw.version !== maker.facts.version) return false;
  if (raw.body[2] !== maker.algorithm) return false;
  // Section 5.2.3.11: every signature has a date, in its hashed area.
  if (raw.hashed.createdAt === undefined) return false;
  try {
    const digest = over instanceof Uint8Array ? over : partsDigest(raw, over);
    // What is damaged needs no public-key operation.
    if (digest === undefined || !startsWith(digest, raw.digestStart)) return false;
    if (maker.native !== undefined) return maker.native.isSignature(raw.hash, digest, raw.numbers);
  } catch {
    return false;
  }
  return await libraryAgrees(raw, maker, over);
}

function startsWith(digest: Uint8Array, [first, second]: Uint8Array): boolean {
  return first === digest[0] && second === digest[1];
}

/**
 * Those of several keys that made a signature. One key may be listed in many certificates, and anybody can list it:
 * it is tried once.
 */
export async function makersOf(
  raw: RawSignature,
  candidates: readonly LoadedKey[],
  over: SignedParts | Uint8Array,
): Promise<LoadedKey[]> {
  const verdicts = new Map<Fingerprint, boolean>();
  const makers: LoadedKey[] = [];
  for (const candidate of candidates) {
    const { fingerprint } = candidate.facts;
    const made = verdicts.get(fingerprint) ?? (await isMadeBy(raw, candidate, over));
    verdicts.set(fingerprint, made);
    if (made) makers.push(candidate);
  }
  return makers;
}

/** The facts of a signature that was found to be made by `maker`. */
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
    id: hex(createHash("sha256").update(raw.body).digest()),
  };
}
