/** Computes the digests for signatures over documents (RFC 9580 section 5.2.4). */
import type { Hash } from "node:crypto";
import type { RawSignature } from "./raw-signature.ts";

/**
 * Returns the digest for a signature over a document.
 * @param prefix a hash object that has already processed the salt, if any, and the document
 */
export function documentDigest(raw: RawSignature, prefix: Hash): Uint8Array {
  return prefix.update(raw.hashedPart).update(trailerOf(raw)).digest();
}

/** Returns the bytes that the digest covers after the hashed part: the version, and the length of the hashed part. */
export function trailerOf(raw: RawSignature): Uint8Array {
  const trailer = Buffer.alloc(6, 0xff);
  trailer[0] = raw.version;
  trailer.writeUInt32BE(raw.hashedPart.length, 2);
  return trailer;
}
