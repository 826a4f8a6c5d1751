/** Signature packets: parsed strictly, and checked by the library's mathematics alone. */
import { createHash } from "node:crypto";
import { SignaturePacket } from "openpgp";
import type { Fingerprint, SignatureFacts } from "../trust/facts.ts";
import { isEdwards, isEdwardsSignature } from "./eddsa.ts";
import type { LoadedKey } from "./key-packet.ts";
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
    const hints = unhashedHints(body.subarray(hashedEnd + octets, unhashedEnd));
    return {
      body,
      version,
      type,
      hash,
      hashedPart: body.subarray(0, hashedEnd),
      hashed,
      salt: body.subarray(unhashedEnd + 3, unhashedEnd + 3 + (saltLength ?? 0)),
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

/** What a signature that is not over data stands for (RFC 9580 section 5.2.4). */
export interface SignedParts {
  readonly key: LoadedKey;
  /** Exact bytes of a user ID packet. */
  readonly userId?: Uint8Array;
  readonly bind?: LoadedKey;
}

/**
 * The digest over a document that a signature signs (RFC 9580 section 5.2.4).
 * @param prefix a hash that has taken in the salt, if there is one, and the document
 */
export function documentDigest(raw: RawSignature, prefix: ReturnType<typeof createHash>): Uint8Array {
  const trailer = Buffer.alloc(6, 0xff);
  trailer[0] = raw.version;
  trailer.writeUInt32BE(raw.hashedPart.length, 2);
  return prefix.update(raw.hashedPart).update(trailer).digest();
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
  const packet = new SignaturePacket() as LibrarySignature;
  try {
    packet.read(raw.body);
    // The library's own opinions are switched off one by one: `trust/` has the rules. What is reset here is
    // not part of what is hashed, which stays as it was read.
    packet.issuerKeyID = maker.packet.getKeyID();
    packet.unknownSubpackets = [];
    packet.rawNotations = [];
    packet.revocationKeyClass = null;
    const parts = over instanceof Uint8Array ? over : libraryParts(over);
    if (isEdwards(maker)) {
      if (packet.publicKeyAlgorithm !== maker.packet.algorithm) return false;
      const bytes = () => packet.toHash(raw.type, parts, true);
      const digest = over instanceof Uint8Array ? over : createHash(raw.hash).update(bytes()).digest();
      // The first octets of the digest stand in the packet: what is damaged needs no public-key operation.
      const [first, second] = packet.signedHashValue;
      return first === digest[0] && second === digest[1] && isEdwardsSignature(maker, packet.params, digest);
    }
    if (over instanceof Uint8Array) packet.hashed = over;
    await packet.verify(maker.packet, raw.type, parts, noDate, true, lenient);
    return true;
  } catch {
    return false;
  }
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

// What the library's types leave out.
type LibrarySignature = SignaturePacket & {
  /** A finished digest, taken instead of hashing. */
  hashed?: Uint8Array;
  /** The bytes that a signature of that type over these parts hashes. */
  toHash(type: number, parts: object, detached: boolean): Uint8Array;
  readonly signedHashValue: Uint8Array;
  readonly params: Readonly<Record<string, Uint8Array | undefined>>;
};

// `null` tells the library to compare no dates; its types don't know.
const noDate = null as unknown as Date;
const lenient = {
  rejectHashAlgorithms: new Set(),
  rejectMessageHashAlgorithms: new Set(),
  knownNotations: [],
} as unknown as NonNullable<Parameters<SignaturePacket["verify"]>[5]>;

function libraryParts({ key, userId, bind }: SignedParts): object {
  return {
    key: key.packet,
    // The library decodes user IDs as UTF-8 and would hash something else where they are not: hand it the bytes.
    ...(userId === undefined ? {} : { userID: { write: () => userId } }),
    ...(bind === undefined ? {} : { bind: bind.packet }),
  };
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
