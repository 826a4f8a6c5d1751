/**
 * Reads the lines of a `Packages` text. This file also checks the rules that all readers in this folder share.
 *
 * The grammar is opkg's and Debian's (deb822, Debian Policy section 5.1): stanzas of `Name: value` fields, separated by empty
 * lines; a line that starts with a space or a tab continues the field above. The reader is strict (T13), because two programs
 * that read the same signed text differently could install different packages. docs/opkg.md lists the texts that the reader
 * refuses, with reasons.
 *
 * Indexes are large, so the cursor stores numbers instead of strings, and creates no objects for lines.
 */
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { isSame, lineEnd } from "./four-bytes.ts";

/** The size limit for a line, in bytes. The longest line in Debian's own lists has about 10,000 bytes. */
export const maxLineLength = 1 << 20;

/** The size limit for a stanza, in bytes. */
export const maxStanzaLength = 16 << 20;

const newline = 0x0a;
const space = 0x20;
const tab = 0x09;
const colon = 0x3a;

/**
 * Maps each byte that a field name may contain to lower case, and every other byte to 0. A field name may contain printable
 * ASCII except the colon (RFC 5322 section 3.6.8).
 */
export const nameByte = new Uint8Array(256);
for (let byte = 0x21; byte <= 0x7e; byte++) if (byte !== colon) nameByte[byte] = byte;
for (let byte = 0x41; byte <= 0x5a; byte++) nameByte[byte] = byte + 0x20;

/** The kind of a text: the text's name in messages, and the code of its errors. */
export interface TextKind {
  readonly name: string;
  readonly code: ErrorCode;
}

export const indexText: TextKind = { name: "the index", code: "bad_index" };

/** Returns the error for text that breaks the grammar. `line` counts from 1. */
export function badText(kind: TextKind, line: number, problem: string): FeedkeyError {
  return new FeedkeyError(kind.code, `line ${line} of ${kind.name} ${problem}`, { details: { line } });
}

/** Adds a byte to an FNV-1a hash. The weak hash FNV-1a is good enough here, because the hashed text comes from a trusted signer. */
export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** The initial hash for `hashStep`. */
export const hashStart = 0x811c9dc5 | 0;

/** Visits the lines of any text. The properties describe the line that `advance` reached. */
export class LineWalker {
  /** Line number, counted from 1. */
  line = 0;
  /** Offset of the line's first byte. */
  start = 0;
  /** Offset of the line's newline, or of the end of the text. */
  end = -1;
  readonly bytes: Buffer;
  /** A view of the memory of `bytes`. */
  readonly view: DataView;
  readonly #kind: TextKind;

  /**
   * @param firstLine line number of the text's first line
   * @throws FeedkeyError with the code of `kind` if the text contains a NUL or a carriage return
   */
  constructor(bytes: Uint8Array, kind = indexText, firstLine = 1) {
    this.line = firstLine - 1;
    this.bytes = asBuffer(bytes);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#kind = kind;
    this.#refuseByte(0x00, "a NUL byte");
    this.#refuseByte(0x0d, "a carriage return");
  }

  /** Returns the error for a problem on the current line, or on another line. */
  error(problem: string, line = this.line): FeedkeyError {
    return badText(this.#kind, line, problem);
  }

  /** Goes back to the start of a stanza that the walker has already visited. */
  seek(offset: number, line: number): void {
    this.end = offset - 1;
    this.line = line - 1;
  }

  /**
   * Goes to the next line; returns false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind if the line is too long
   */
  advance(): boolean {
    const { bytes } = this;
    const start = this.end + 1;
    if (start >= bytes.length) return false;
    const end = lineEnd(this.view, start, bytes.length);
    this.start = start;
    this.end = end;
    this.line++;
    if (end - start > maxLineLength) throw this.error(`is longer than ${maxLineLength} bytes`);
    return true;
  }

  #refuseByte(byte: number, name: string): void {
    const { bytes } = this;
    const at = bytes.indexOf(byte);
    if (at === -1) return;
    let line = this.line + 1;
    for (let from = bytes.indexOf(newline); from !== -1 && from < at; from = bytes.indexOf(newline, from + 1)) line++;
    throw this.error(`contains ${name}`, line);
  }
}

/** The lower-case name of the only field that may contain a blank line. */
export const description = "description";

type LineKind = "blank" | "field" | "continuation";

/** Visits the lines of a `Packages` text. */
export class LineCursor extends LineWalker {
  kind: LineKind = "blank";
  /** Offset of the colon, if the line is a field. */
  colon = 0;
  /** Whether the field has the name that `expect` set. */
  isExpected = false;
  #expectedAt = 0;
  #expectedLength = 0;
  // The name of the last field.
  #nameStart = 0;
  #nameEnd = 0;
  /** Whether the description in this stanza has a blank line. */
  #hasGap = false;

  override seek(offset: number, line: number): void {
    super.seek(offset, line);
    this.kind = "blank";
    this.#hasGap = false;
  }

  /** Sets the expected field name, which is a part of this text. @param at offset of the name @param length in bytes */
  expect(at: number, length: number): void {
    this.#expectedAt = at;
    this.#expectedLength = length;
  }

  /**
   * Goes to the next line; returns false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind if the line breaks the grammar
   */
  next(): boolean {
    if (!this.advance()) return false;
    const first = this.bytes[this.start];
    if (this.end === this.start) {
      this.kind = "blank";
      this.#hasGap = false;
    } else if (first === space || first === tab) this.#continuation();
    else this.#field();
    return true;
  }

  #continuation(): void {
    let at = this.start + 1;
    while (at < this.end && (this.bytes[at] === space || this.bytes[at] === tab)) at++;
    if (at === this.end) this.#gap();
    if (this.kind === "blank") throw this.error("continues a field, but there is no field above it");
    this.kind = "continuation";
  }

  /**
   * Handles a line of only spaces and tabs. For apt, this line is part of the field. For opkg, if it skips descriptions, this line
   * ends the stanza. If the description is the last field, apt and opkg read the same fields.
   */
  #gap(): void {
    const isDescription = this.kind !== "blank" && this.#nameEnd - this.#nameStart === description.length;
    const name = isDescription ? this.bytes.toString("latin1", this.#nameStart, this.#nameEnd).toLowerCase() : "";
    if (name !== description) throw this.error("has only spaces or tabs");
    this.#hasGap = true;
  }

  #field(): void {
    if (this.#hasGap)
      throw this.error("gives a field after a description with a blank line: some readers stop at that line");
    this.#name();
    this.#nameStart = this.start;
    this.#nameEnd = this.colon;
  }

  #name(): void {
    const { bytes, start, end } = this;
    const length = this.#expectedLength;
    // The comparison includes the colon. Otherwise a longer name could match.
    if (length > 0 && length < end - start && isSame(this.view, start, this.#expectedAt, length + 1)) {
      this.kind = "field";
      this.colon = start + length;
      this.isExpected = true;
      return;
    }
    let at = start;
    while (at < end && nameByte[bytes[at] ?? 0] !== 0) at++;
    if (at === end || bytes[at] !== colon) {
      if (bytes.subarray(at, end).includes(colon)) throw this.error("has a field name that contains a forbidden byte");
      throw this.error("is not a field: it has no colon");
    }
    const first = bytes[start];
    if (at === start) throw this.error("has a field without a name");
    if (first === 0x23 || first === 0x2d) throw this.error('has a field name that starts with "#" or "-"');
    this.kind = "field";
    this.colon = at;
    this.isExpected = false;
  }
}

/** Returns a Buffer that shares the memory of `bytes`. A Buffer's `indexOf` is the fastest search in Node. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
