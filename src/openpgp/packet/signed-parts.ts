/** Builds the bytes that signatures over keys and user IDs cover (RFC 9580 section 5.2.4), and computes their digests. */
import { getHashes, hash } from "node:crypto";
import type { LoadedKey } from "./key-packet.ts";
import type { SignatureLayout } from "./raw-signature.ts";

export interface SignedParts {
  readonly key: LoadedKey;
  /** The exact body of a user ID packet. */
  readonly userId?: Uint8Array;
  readonly bind?: LoadedKey;
}

/** The size of the longest salt (section 9.5, table 23). */
const saltRoom = 32;
const trailerLength = 6;

const computable = new Set(getHashes());

function framedKey({ body }: LoadedKey, version: SignatureLayout["version"]): Buffer {
  if (version !== 6) return Buffer.concat([Buffer.of(0x99, body.length >> 8, body.length & 0xff), body]);
  const head = Buffer.alloc(5, 0x9b);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Returns the bytes that a signature of this type covers; undefined if the caller did not give a part that the type needs. */
function bytesOf(
  { key, userId, bind }: SignedParts,
  type: number,
  version: SignatureLayout["version"],
): Buffer | undefined {
  // In versions 3 and 4, the length field has two octets. So feedkey refuses larger keys: with a truncated length, two keys could
  // have the same bytes.
  if (version !== 6 && Math.max(key.body.length, bind?.body.length ?? 0) > 0xffff) return undefined;
  const first = framedKey(key, version);
  if (type === 0x1f || type === 0x20) return first;
  if (type === 0x18 || type === 0x19 || type === 0x28) return bind && Buffer.concat([first, framedKey(bind, version)]);
  const isOverUserId = (type >= 0x10 && type <= 0x13) || type === 0x30;
  if (userId === undefined || !isOverUserId) return undefined;
  // RFC 9580 section 5.2.4: a version 3 signature covers the user ID without a prefix.
  const head = Buffer.alloc(version === 3 ? 0 : 5, 0xb4);
  if (version !== 3) head.writeUInt32BE(userId.length, 1);
  return Buffer.concat([first, head, userId]);
}

/**
 * A buffer with the signed parts. It has space for a salt before the parts, and for the packet's hashed part and the trailer after
 * them.
 */
interface Desk {
  readonly bytes: Buffer;
  readonly end: number;
}

/**
 * Stores the parts that signatures cover as bytes in a buffer. So feedkey can quickly compute the digests for a hundred thousand
 * signatures over these parts.
 */
export class Signed {
  readonly parts: SignedParts;
  readonly #desks = new Map<number, Desk>();

  constructor(parts: SignedParts) {
    this.parts = parts;
  }

  #deskFor(type: number, version: SignatureLayout["version"], room: number): Desk | undefined {
    const name = type * 16 + version;
    const known = this.#desks.get(name);
    if (known !== undefined && known.bytes.length - known.end >= room) return known;
    const parts = bytesOf(this.parts, type, version);
    if (parts === undefined) return undefined;
    const end = saltRoom + parts.length;
    // The first buffer has just enough space, because most keys have only one or two signatures. A later, larger buffer gets twice
    // the needed space.
    const bytes = Buffer.alloc(end + (known === undefined ? room : 2 * room));
    parts.copy(bytes, saltRoom);
    const desk = { bytes, end };
    this.#desks.set(name, desk);
    return desk;
  }

  /**
   * Returns all bytes that a signature's digest covers. The next call overwrites these bytes.
   * @returns undefined if a part is missing that signatures of this type need
   */
  message(layout: SignatureLayout, body: Uint8Array): Buffer | undefined {
    const { version, type, hashedStart, hashedEnd, unhashedEnd, saltEnd } = layout;
    const desk = this.#deskFor(type, version, hashedEnd + trailerLength);
    if (desk === undefined) return undefined;
    const { bytes, end } = desk;
    const salt = version === 6 ? body.subarray(unhashedEnd + 3, saltEnd) : undefined;
    const start = saltRoom - (salt?.length ?? 0);
    if (salt !== undefined) bytes.set(salt, start);
    bytes.set(body.subarray(hashedStart, hashedEnd), end);
    const trailer = end + hashedEnd - hashedStart;
    if (version === 3) return bytes.subarray(start, trailer);
    bytes[trailer] = version;
    bytes[trailer + 1] = 0xff;
    bytes.writeUInt32BE(hashedEnd, trailer + 2);
    return bytes.subarray(start, trailer + trailerLength);
  }

  /**
   * Returns the digest for a signature if the packet contains the digest's first octets (section 5.2.3), else undefined. So feedkey
   * spends neither parsing nor a public-key operation on damaged or false signatures.
   */
  digest(layout: SignatureLayout, body: Uint8Array): Uint8Array | undefined {
    const message = this.message(layout, body);
    const digest = message && digestOf(layout.hash, message);
    const { unhashedEnd } = layout;
    return digest?.[0] === body[unhashedEnd] && digest?.[1] === body[unhashedEnd + 1] ? digest : undefined;
  }
}

function digestOf(name: string, message: Uint8Array): Uint8Array | undefined {
  if (!computable.has(name)) return undefined;
  try {
    return hash(name, message, "buffer");
  } catch {
    // This machine's policy forbids the hash algorithm.
    return undefined;
  }
}
