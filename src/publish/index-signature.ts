/** Makes the signatures over a file, for publishing, a rotation, or `sign`. */
import { frame } from "../formats/cleartext.ts";
import type { SignatureFile } from "../formats/format.ts";
import { readSignatureFile } from "../openpgp/check/detached.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { PublishedFile } from "../signing/published-tree.ts";
import { notationDomain, type SignerOf } from "../signing/signing-key.ts";
import type { Duration, Instant } from "../time.ts";
import type { FileToSign } from "./feed-layout.ts";

export interface SignOptions {
  readonly at: Instant;
  /** How long the signature is valid; undefined: forever. */
  readonly validFor: Duration | undefined;
  /** T10: the feed that it is signed for. */
  readonly feed: string | undefined;
  /** Domain of the notation that names the feed; by default that of the address in the key's user ID. */
  readonly notationDomain?: string | undefined;
}

/** Signatures over one document, by one key or several. */
interface Packets {
  readonly binary: Uint8Array;
  /** Hash algorithms, in OpenPGP's names. */
  readonly hashes: readonly string[];
}

/** New signatures over a file. */
export interface FileSignatures {
  readonly file: FileToSign;
  readonly detached: Packets;
  /** Over its text, for files that contain text and signature. */
  readonly framed: Packets;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

const none: Packets = { binary: new Uint8Array(), hashes: [] };

/**
 * Makes all signatures that the signature files of a file need.
 * @param keys in the order of their signatures
 * @throws FeedkeyError `revoked`, `expired`... if a key may not sign now
 */
export async function signFile(
  file: FileToSign,
  keys: readonly SignerOf[],
  options: SignOptions,
): Promise<FileSignatures> {
  // Whole seconds, as packets have them.
  const at = Math.floor(options.at / 1000) * 1000;
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
  const [only] = readSignatureFile(binary, "the signature just made");
  return only !== undefined && "raw" in only ? only.raw.hash.toUpperCase() : "";
}

/** A signature file with new signatures. @param before packets of older ones, which are kept for a moment */
export function writtenSignature(
  { name, holds }: SignatureFile,
  { file, detached, framed }: FileSignatures,
  before: Uint8Array = new Uint8Array(),
): PublishedFile {
  // One armored block: of several, sqv reads the first only.
  if (holds === "framed")
    return { name, data: frame(file.document.bytes, armor(framed.binary, "SIGNATURE"), framed.hashes) };
  const packets = Buffer.concat([before, detached.binary]);
  return { name, data: holds === "binary" ? packets : armor(packets, "SIGNATURE") };
}
