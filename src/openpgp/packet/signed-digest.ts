/** Computes what a signature over a document signs (RFC 9580 section 5.2.4). */
import type { Hash } from "node:crypto";
import type { RawSignature } from "./raw-signature.ts";

/**
 * The digest over a document that a signature signs.
 * @param prefix a hash that already contains the salt, if any, and the document
 */
export function documentDigest(raw: RawSignature, prefix: Hash): Uint8Array {
  return prefix.update(raw.hashedPart).update(trailerOf(raw)).digest();
}

/** What is hashed after the hashed part: the version, and the length of that part. */
export function trailerOf(raw: RawSignature): Uint8Array {
  const trailer = Buffer.alloc(6, 0xff);
  trailer[0] = raw.version;
  trailer.writeUInt32BE(raw.hashedPart.length, 2);
  return trailer;
}
