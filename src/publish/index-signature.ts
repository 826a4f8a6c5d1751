/** Creates the signatures over a file, for `publish`, a rotation, or `sign`. */
import { frame } from "../formats/cleartext.ts";
import type { SignatureFile } from "../formats/format.ts";
import { readSignatureFile } from "../openpgp/check/detached.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { PublishedFile } from "../signing/published-tree.ts";
import { notationDomain, type SignerOf } from "../signing/signing-key.ts";
import { type Duration, type Instant, wholeSecond } from "../time.ts";
import type { FileToSign } from "./feed-layout.ts";

export interface SignOptions {
  readonly at: Instant;
  /** The time for which the signature is valid; undefined for a signature that does not expire. */
  readonly validFor: Duration | undefined;
  /** The name of the feed for which the signature is valid (T10). */
  readonly feed: string | undefined;
  /** The domain in the notation that names the feed. Undefined means the domain of the address in the key's user ID. */
  readonly notationDomain?: string | undefined;
}

/** Signatures over one document, by one or more keys. */
interface Packets {
  readonly binary: Uint8Array;
  /** OpenPGP's names of the signatures' hash algorithms. */
  readonly hashes: readonly string[];
}

/** New signatures over a file. */
export interface FileSignatures {
  readonly file: FileToSign;
  readonly detached: Packets;
  /** The signatures over the canonical text, for files that contain both the text and its signatures. */
  readonly framed: Packets;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

const none: Packets = { binary: new Uint8Array(), hashes: [] };

/**
 * Creates the signatures for all signature files of a file.
 * @param keys the keys, in the order of their signatures
 * @throws FeedkeyError `revoked`, `expired` or another code if a key may not sign now
 */
export async function signFile(
  file: FileToSign,
  keys: readonly SignerOf[],
  options: SignOptions,
): Promise<FileSignatures> {
  const at = wholeSecond(options.at);
  const expiresAt = options.validFor === undefined ? undefined : at + options.validFor;
  const sign = async (document: HashedDocument): Promise<Packets> => {
    const made: Uint8Array[] = [];
    for (const key of keys) {
      made.push(await key.secret.signDocument(document, key, { at, expiresAt, notations: notationsOf(key, options) }));
    }
    return { binary: Buffer.concat(made), hashes: [...new Set(made.map(hashOf))] };
  };
  const isFramed = ({ holds }: SignatureFile) => holds === "framed";
  return {
    file,
    detached: file.signatures.every(isFramed) ? none : await sign(file.document),
    framed: file.signatures.some(isFramed) ? await sign(HashedDocument.ofText(file.document.bytes)) : none,
    createdAt: at,
    expiresAt,
  };
}

function notationsOf(key: SignerOf, { feed, notationDomain: domain }: SignOptions) {
  return feed === undefined ? [] : [{ name: `feed@${notationDomain(key, domain)}`, value: feed }];
}

function hashOf(binary: Uint8Array): string {
  const [only] = readSignatureFile(binary, "the new signature");
  return only !== undefined && "raw" in only ? only.raw.hash.toUpperCase() : "";
}

/**
 * Returns the contents of a signature file with new signatures.
 * @param before the packets of old signatures, which stay in the file until the new index is in place
 */
export function writtenSignature(
  { name, holds }: SignatureFile,
  { file, detached, framed }: FileSignatures,
  before: Uint8Array = new Uint8Array(),
): PublishedFile {
  // All signatures go into one armored block, because sqv reads only the first of several blocks.
  if (holds === "framed")
    return { name, data: frame(file.document.bytes, armor(framed.binary, "SIGNATURE"), framed.hashes) };
  const packets = Buffer.concat([before, detached.binary]);
  return { name, data: holds === "binary" ? packets : armor(packets, "SIGNATURE") };
}
