/**
 * The cleartext signature framework (RFC 9580 section 7): one file contains a text and the signatures over the text. feedkey
 * reads the file as strictly as apt does. Otherwise two programs could see different texts in one file.
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

/** Whether a file begins with the first line of a cleartext-signed message. */
export function isFramed(file: Uint8Array): boolean {
  return asBuffer(file).toString("latin1", 0, begin.length) === begin;
}

/** The size limit for a signed text with its signatures, in bytes. apt has the same limit for InRelease. */
export const maxFramedBytes = 10_000_000;

/** Throws if a signed text exceeds the size limit. Runs before feedkey parses the text. */
function refuseLarge(size: number, name: string): void {
  if (size <= maxFramedBytes) return;
  throw new FeedkeyError(
    "bad_index",
    `${escapeText(name)} has ${size} bytes, more than the limit of ${maxFramedBytes} for a text that contains its signature`,
    {
      details: { limit: maxFramedBytes, reason: "limits" },
      hint: "apt has this limit too: shorten the text, or put its signature in a separate file",
    },
  );
}

/** Visits the lines of a signed text by offset. An array of lines could be huge for a file of many empty lines. */
class FrameLines {
  /** Line number, counted from 1. */
  number = 0;
  start = 0;
  /** Offset of the first byte after the line's text. A final carriage return is not part of the text. */
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

  /** Goes to the next line; returns false at the end of the file. @throws FeedkeyError for a carriage return inside the line */
  next(): boolean {
    const bytes = this.#bytes;
    this.number++;
    if (this.feed >= bytes.length) return false;
    this.start = this.feed + 1;
    const feed = bytes.indexOf(lineFeed, this.start);
    this.feed = feed === -1 ? bytes.length : feed;
    this.end = this.feed;
    if (this.#return !== -1 && this.#return < this.feed) {
      if (this.#return !== this.feed - 1) throw this.error("contains a carriage return before its end");
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
 * Splits a cleartext-signed message. Returns the exact text that the signatures cover: without dash escapes, spaces at the
 * ends of lines, and carriage returns.
 * @param name the file's name, for messages
 * @throws FeedkeyError `bad_signature_data`, with the line, if the file contains anything before or after the message, or a line
 *   is not escaped; `bad_index` if the file is larger than {@link maxFramedBytes}
 */
export function unframe(file: Uint8Array, name: string): Unframed {
  refuseLarge(file.length, name);
  const bytes = asBuffer(file);
  const lines = new FrameLines(bytes, name);
  if (!lines.next() || !lines.is(begin)) throw lines.error(`must be "${begin}"`);
  for (;;) {
    const isThere = lines.next();
    if (isThere && lines.is("")) break;
    // RFC 9580 section 7 allows only this header. Any other header could make unsigned text look signed.
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

/** Returns the text before the line that begins the signature. `lines` stops at that line. */
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
    hint: "the file must contain one signed text and nothing else; fetch the file again or ask the archive's keepers",
  });
}

/**
 * Combines a text and its signatures.
 * @param armored the signatures, in one armored block
 * @param hashes OpenPGP's names of the signatures' hash algorithms
 * @throws FeedkeyError `bad_index` if the text is too large, or contains a carriage return or NUL, because a reader would not
 *   read these bytes back unchanged
 */
export function frame(text: Uint8Array, armored: string, hashes: readonly string[]): Uint8Array {
  const plain = asBuffer(text).toString("latin1");
  if (/[\r\0]/.test(plain)) {
    throw new FeedkeyError(
      "bad_index",
      "the text contains a carriage return or a NUL, so feedkey can't sign it as text",
      {
        hint: "remove every NUL from the text, and end lines with a line feed (LF) only",
      },
    );
  }
  const lines = plain.replace(/\n$/, "").replace(/^-/gm, "- -");
  const framed = `${begin}\nHash: ${hashes.join(", ")}\n\n${lines}\n${armored}`;
  refuseLarge(framed.length, "the signed text");
  return Buffer.from(framed, "latin1");
}
