/**
 * The cleartext signature framework (RFC 9580 section 7): a text and the signatures over the text in one file. feedkey reads
 * this file as strictly as apt does, because programs that split the file differently would see different texts.
 */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { endOfInk } from "../trailing.ts";
import type { Unframed } from "./format.ts";
import { asBuffer } from "./line-cursor.ts";

const begin = "-----BEGIN PGP SIGNED MESSAGE-----";
const signature = { begin: "-----BEGIN PGP SIGNATURE-----", end: "-----END PGP SIGNATURE-----" } as const;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const dash = 0x2d;

/** Tells whether a file begins as a cleartext-signed message does. */
export function isFramed(file: Uint8Array): boolean {
  return asBuffer(file).toString("latin1", 0, begin.length) === begin;
}

/** The size limit for a signed text with its signatures, in bytes. apt reads no larger InRelease. */
export const maxFramedBytes = 10_000_000;

/** Throws for a larger signed text, before anything in the text is parsed. */
function refuseLarge(size: number, name: string): void {
  if (size <= maxFramedBytes) return;
  throw new FeedkeyError(
    "bad_index",
    `${escapeText(name)} has ${size} bytes, more than the limit of ${maxFramedBytes} for a text that contains its signature`,
    {
      details: { limit: maxFramedBytes, reason: "limits" },
      hint: "apt has this limit too: shorten the text, or put its signature into a separate file",
    },
  );
}

/** Walks over the lines of a signed text by offset. An array of lines could be huge for a file that has only line feeds. */
class FrameLines {
  /** Number of the line, from 1. */
  number = 0;
  start = 0;
  /** Offset after the line's last byte, without a final carriage return. */
  end = 0;
  /** Offset of the line's line feed, or of the end of the file. */
  feed = -1;
  readonly #bytes: Buffer;
  readonly #name: string;
  /** Offset of the next carriage return. */
  #return: number;

  constructor(bytes: Buffer, name: string) {
    this.#bytes = bytes;
    this.#name = name;
    this.#return = bytes.indexOf(carriageReturn);
  }

  /** Goes to the next line; returns false at the end of the file. @throws FeedkeyError if a carriage return is inside the line */
  next(): boolean {
    const bytes = this.#bytes;
    this.number++;
    if (this.feed >= bytes.length) return false;
    this.start = this.feed + 1;
    const feed = bytes.indexOf(lineFeed, this.start);
    this.feed = feed === -1 ? bytes.length : feed;
    this.end = this.feed;
    if (this.#return !== -1 && this.#return < this.feed) {
      if (this.#return !== this.feed - 1) throw this.error("has a carriage return that does not end the line");
      this.end = this.#return;
      this.#return = bytes.indexOf(carriageReturn, this.feed);
    }
    return true;
  }

  is(text: string): boolean {
    return this.end - this.start === text.length && this.text === text;
  }

  get text(): string {
    return this.#bytes.toString("latin1", this.start, this.end);
  }

  error(problem: string, number = this.number): FeedkeyError {
    return badFrame(this.#name, number, problem);
  }
}

/**
 * Splits a signed text. Returns the text as it was signed: without dash escapes, spaces at the ends of lines, and carriage
 * returns.
 * @param name the file's name, for messages
 * @throws FeedkeyError `bad_signature_data`, with the line, if anything is before or after the frame, or a line is not escaped;
 *   `bad_index` if the file is larger than {@link maxFramedBytes}
 */
export function unframe(file: Uint8Array, name: string): Unframed {
  refuseLarge(file.length, name);
  const bytes = asBuffer(file);
  const lines = new FrameLines(bytes, name);
  if (!lines.next() || !lines.is(begin)) throw lines.error(`must be "${begin}"`);
  for (;;) {
    const isThere = lines.next();
    if (isThere && lines.is("")) break;
    // RFC 9580 section 7 allows no other header, because a header could pass unsigned text off as signed.
    if (!isThere || !/^Hash: [A-Za-z0-9, -]+$/.test(lines.text)) {
      throw lines.error('is neither a "Hash" header nor the empty line that must follow');
    }
  }
  const signed = readText(bytes, lines);
  const first = { number: lines.number, start: lines.start };
  do {
    if (!lines.next())
      throw lines.error("begins a signature, but the line that ends the signature is missing", first.number);
  } while (!lines.is(signature.end));
  if (lines.feed + 1 < bytes.length) throw lines.error("follows the signature", lines.number + 1);
  return { signed, signatures: Buffer.concat([bytes.subarray(first.start, lines.feed), Buffer.from("\n")]) };
}

/** Returns the text up to the line that begins the signature. The walker stops at this line. */
function readText(bytes: Buffer, lines: FrameLines): Buffer {
  const signed = Buffer.alloc(bytes.length);
  let length = 0;
  for (;;) {
    if (!lines.next()) throw lines.error("is missing: the signature must follow the text");
    if (lines.is(signature.begin)) return signed.subarray(0, length);
    let at = lines.start;
    if (at < lines.end && bytes[at] === dash) {
      if (at + 1 === lines.end || bytes[at + 1] !== space) throw lines.error("begins with a dash that is not escaped");
      at += 2;
    }
    const end = endOfInk(bytes, at, lines.end);
    while (at < end) signed[length++] = bytes[at++] ?? 0;
    signed[length++] = lineFeed;
  }
}

function badFrame(name: string, line: number, problem: string): FeedkeyError {
  return new FeedkeyError("bad_signature_data", `line ${line} of ${escapeText(name)} ${problem}`, {
    details: { line },
    hint: "the file must contain one signed text and nothing else; fetch it again or ask the archive's keepers",
  });
}

/**
 * Combines a text and its signatures.
 * @param armored the signatures, in one armored block
 * @param hashes OpenPGP's names of the signatures' hash algorithms
 * @throws FeedkeyError `bad_index` if the text has a carriage return or NUL, which a reader would not read back unchanged, or if
 * the text is too large
 */
export function frame(text: Uint8Array, armored: string, hashes: readonly string[]): Uint8Array {
  const plain = asBuffer(text).toString("latin1");
  if (/[\r\0]/.test(plain)) {
    throw new FeedkeyError("bad_index", "the text has a carriage return or a NUL: it can't be signed as text", {
      hint: "write the text without NUL, and with line feeds (LF) only",
    });
  }
  const lines = plain.replace(/\n$/, "").replace(/^-/gm, "- -");
  const framed = `${begin}\nHash: ${hashes.join(", ")}\n\n${lines}\n${armored}`;
  refuseLarge(framed.length, "the signed text");
  return Buffer.from(framed, "latin1");
}
