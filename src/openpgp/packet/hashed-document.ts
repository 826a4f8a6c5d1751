/**
 * Stores a document and its digests. Computes each digest only once, because several signatures and the client's state need
 * the same digest.
 */
import { createHash, type Hash } from "node:crypto";
import { bytesOf, type Content, type Data, piecesOf } from "../../content.ts";
import { endOfInk } from "../../trailing.ts";
import type { Message } from "./native-key.ts";
import type { RawSignature } from "./raw-signature.ts";
import { documentDigest, trailerOf } from "./signed-digest.ts";

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const noSalt = new Uint8Array();
const nameOf = (hash: string, salt: Uint8Array) => `${hash} ${Buffer.from(salt).toString("hex")}`;

/** Signature types over documents (RFC 9580 section 5.2.1). */
type DocumentType = 0x00 | 0x01;

export class HashedDocument implements Content {
  readonly length: number;
  /** The only type of signature that may cover the document: binary or text. */
  readonly type: DocumentType;
  /** The document's bytes. They may be too many to fit in memory. */
  readonly content: Data;
  /** The bytes that a signature over the document covers. */
  readonly #covered: Data;
  readonly #prefixes = new Map<string, Hash>();

  /**
   * @param sha256 a SHA-256 hash object that has already processed the content
   * @param text the bytes that signatures cover, if the document is a text
   */
  constructor(content: Data, sha256?: Hash, text?: Uint8Array) {
    this.length = content.length;
    this.type = text === undefined ? 0x00 : 0x01;
    this.content = content;
    this.#covered = text ?? content;
    if (sha256 !== undefined && text === undefined) this.#prefixes.set(nameOf("sha256", noSalt), sha256);
  }

  /**
   * Returns the document for the text of a cleartext-signed message (RFC 9580 section 7.2). The signatures cover the text with
   * CRLF between lines, without trailing spaces, and without the last line end.
   */
  static ofText(bytes: Uint8Array): HashedDocument {
    return new HashedDocument(bytes, undefined, coveredText(bytes));
  }

  pieces(from = 0): Iterable<Uint8Array> {
    return piecesOf(this.content, from);
  }

  /** The whole content, in memory. */
  get bytes(): Uint8Array {
    return bytesOf(this.content);
  }

  /** The bytes of the document that a signature covers, in memory. */
  get covered(): Uint8Array {
    return bytesOf(this.#covered);
  }

  /** Returns the digest for a signature over the document. @throws Error if this machine can't compute the hash */
  signedDigest(raw: RawSignature): Uint8Array {
    return documentDigest(raw, this.#prefix(raw.hash, raw.salt).copy());
  }

  /** Returns everything that a signature over the document covers. @throws Error if this machine can't compute the hash */
  signed(raw: RawSignature): Message {
    const covered = () => piecesOf(this.#covered);
    const parts = function* () {
      yield raw.salt;
      yield* covered();
      yield raw.hashedPart;
      yield trailerOf(raw);
    };
    return { hash: raw.hash, digest: this.signedDigest(raw), parts };
  }

  /** SHA-256 of the document's bytes, in lower-case hex. */
  get sha256(): string {
    if (this.type === 0x00) return this.#prefix("sha256", noSalt).copy().digest("hex");
    return createHash("sha256").update(this.bytes).digest("hex");
  }

  /** Whether both documents have the same bytes. */
  equals(other: HashedDocument): boolean {
    return this.length === other.length && this.sha256 === other.sha256;
  }

  #prefix(hash: string, salt: Uint8Array): Hash {
    const name = nameOf(hash, salt);
    const known = this.#prefixes.get(name);
    if (known !== undefined) return known;
    const made = createHash(hash).update(salt);
    for (const piece of piecesOf(this.#covered)) made.update(piece);
    this.#prefixes.set(name, made);
    return made;
  }
}

/**
 * Converts a text to the bytes that signatures cover. Works with offsets, because an array of lines could be huge for a text
 * with many line feeds.
 */
function coveredText(bytes: Uint8Array): Uint8Array {
  const whole = bytes.at(-1) === lineFeed ? bytes.length - 1 : bytes.length;
  let feeds = 0;
  for (let at = 0; at < whole; at++) if (bytes[at] === lineFeed) feeds++;
  const covered = new Uint8Array(whole + feeds);
  let length = 0;
  for (let start = 0; ; ) {
    const feed = bytes.indexOf(lineFeed, start);
    const next = feed === -1 ? whole : feed;
    const end = endOfInk(bytes, start, next);
    for (let at = start; at < end; at++) covered[length++] = bytes[at] ?? 0;
    if (next === whole) return covered.subarray(0, length);
    covered[length++] = carriageReturn;
    covered[length++] = lineFeed;
    start = next + 1;
  }
}
