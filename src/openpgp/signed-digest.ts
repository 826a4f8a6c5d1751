/** What a signature signs (RFC 9580 section 5.2.4). */
import { createHash, type Hash } from "node:crypto";
import type { LoadedKey } from "./key-packet.ts";
import type { RawSignature } from "./raw-signature.ts";

/** What a signature that is not over data stands for. */
export interface SignedParts {
  readonly key: LoadedKey;
  /** Exact bytes of a user ID packet. */
  readonly userId?: Uint8Array;
  readonly bind?: LoadedKey;
}

/**
 * The digest over a document that a signature signs.
 * @param prefix a hash that has taken in the salt, if there is one, and the document
 */
export function documentDigest(raw: RawSignature, prefix: Hash): Uint8Array {
  const trailer = Buffer.alloc(6, 0xff);
  trailer[0] = raw.version;
  trailer.writeUInt32BE(raw.hashedPart.length, 2);
  return prefix.update(raw.hashedPart).update(trailer).digest();
}

/**
 * The digest over keys and a user ID that a signature signs.
 * @returns undefined if its type is none over such parts, or wants one that is not there
 * @throws Error for a hash that can't be computed here
 */
export function partsDigest(raw: RawSignature, { key, userId, bind }: SignedParts): Uint8Array | undefined {
  const { type } = raw;
  const hash = createHash(raw.hash).update(raw.salt).update(framedKey(raw, key)).update(key.body);
  if ((type >= 0x10 && type <= 0x13) || type === 0x30) {
    if (userId === undefined) return undefined;
    hash.update(framed(0xb4, userId.length, 4)).update(userId);
  } else if (type === 0x18 || type === 0x19 || type === 0x28) {
    if (bind === undefined) return undefined;
    hash.update(framedKey(raw, bind)).update(bind.body);
  } else if (type !== 0x1f && type !== 0x20) {
    return undefined;
  }
  return documentDigest(raw, hash);
}

/** What stands before a key: by the signature's version, which is that of the key that made it. */
function framedKey({ version }: RawSignature, { body }: LoadedKey): Buffer {
  return version === 6 ? framed(0x9b, body.length, 4) : framed(0x99, body.length, 2);
}

function framed(octet: number, length: number, octets: number): Buffer {
  const head = Buffer.alloc(1 + octets);
  head[0] = octet;
  head.writeUIntBE(length, 1, octets);
  return head;
}
