/**
 * The lines of a `Packages` text: the rules that all readers in this folder share are checked here.
 *
 * The grammar is opkg's and Debian's (deb822, Debian Policy section 5.1): stanzas of `Name: value` fields, separated by empty
 * lines; a line that starts with a space or a tab continues the field above. It is strict (T13), because two programs that read
 * the same signed text differently could install different packages. docs/opkg.md says what is refused, and why.
 *
 * Indexes are large, so the cursor stores numbers instead of strings, and makes no object for each line.
 */
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { isSame, lineEnd } from "./four-bytes.ts";

/** The longest line, in bytes. The longest in Debian's own lists has some 10,000. */
export const maxLineLength = 1 << 20;

/** The longest stanza, in bytes. */
export const maxStanzaLength = 16 << 20;

const newline = 0x0a;
const space = 0x20;
const tab = 0x09;
const colon = 0x3a;

/** A byte in lower case if a field name may contain it (RFC 5322 section 3.6.8: printable ASCII except the colon), else 0. */
export const nameByte = new Uint8Array(256);
for (let byte = 0x21; byte <= 0x7e; byte++) if (byte !== colon) nameByte[byte] = byte;
for (let byte = 0x41; byte <= 0x5a; byte++) nameByte[byte] = byte + 0x20;

/** The kind of a text: its name in messages, and the code of its errors. */
export interface TextKind {
  readonly name: string;
  readonly code: ErrorCode;
}

export const indexText: TextKind = { name: "the index", code: "bad_index" };

/** Makes the error for text that breaks the grammar. `line` counts from 1. */
export function badText(kind: TextKind, line: number, problem: string): FeedkeyError {
  return new FeedkeyError(kind.code, `line ${line} of ${kind.name} ${problem}`, { details: { line } });
}

/** One step of FNV-1a, good enough for tables over text that a rightful signer wrote. */
export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** Where `hashStep` starts. */
export const hashStart = 0x811c9dc5 | 0;

/** Walks over the lines of any text; its properties describe the line that `advance` reached. */
export class LineWalker {
  /** Line number, from 1. */
  line = 0;
  /** Offset of the line's first byte. */
  start = 0;
  /** Offset of the line's end: its newline, or the end of the text. */
  end = -1;
  readonly bytes: Buffer;
  /** The same bytes. */
  readonly view: DataView;
  readonly #kind: TextKind;

  /** @throws FeedkeyError with the code of `kind`: a NUL or a carriage return anywhere in the text */
  constructor(bytes: Uint8Array, kind = indexText) {
    this.bytes = asBuffer(bytes);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#kind = kind;
    this.#refuseByte(0x00, "a NUL byte");
    this.#refuseByte(0x0d, "a carriage return");
  }

  /** The error for a problem on this line, or on another one. */
  error(problem: string, line = this.line): FeedkeyError {
    return badText(this.#kind, line, problem);
  }

  /** Continues at the start of a stanza seen earlier. */
  seek(offset: number, line: number): void {
    this.end = offset - 1;
    this.line = line - 1;
  }

  /**
   * Goes to the next line; false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind
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
    let line = 1;
    for (let from = bytes.indexOf(newline); from !== -1 && from < at; from = bytes.indexOf(newline, from + 1)) line++;
    throw this.error(`holds ${name}`, line);
  }
}

/** The name, in lower case, of the only field where a blank line changes nothing. */
export const description = "description";

export type LineKind = "blank" | "field" | "continuation";

/** The lines of a `Packages` text. */
export class LineCursor extends LineWalker {
  kind: LineKind = "blank";
  /** Fields only: offset of the colon. */
  colon = 0;
  /** Whether the field has the expected name. */
  isExpected = false;
  #expectedAt = 0;
  #expectedLength = 0;
  // The name of the last field.
  #nameStart = 0;
  #nameEnd = 0;
  /** Whether the description of this stanza has a line of blanks. */
  #hasGap = false;

  override seek(offset: number, line: number): void {
    super.seek(offset, line);
    this.kind = "blank";
    this.#hasGap = false;
  }

  /** Sets the expected field name, given by its place in this text. @param at its offset */
  expect(at: number, length: number): void {
    this.#expectedAt = at;
    this.#expectedLength = length;
  }

  /**
   * Goes to the next line; false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind
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
   * A line of blanks. apt treats it as text of the field; opkg, if it skips descriptions, as the end of the stanza. In a
   * description that is the last field, both read the same fields.
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
    // The colon is compared too; otherwise a longer name would match.
    if (length > 0 && length < end - start && isSame(this.view, start, this.#expectedAt, length + 1)) {
      this.kind = "field";
      this.colon = start + length;
      this.isExpected = true;
      return;
    }
    let at = start;
    while (at < end && nameByte[bytes[at] ?? 0] !== 0) at++;
    if (at === end || bytes[at] !== colon) {
      if (bytes.subarray(at, end).includes(colon)) throw this.error("has a field name with a forbidden byte");
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

/** The same memory as a Buffer, whose `indexOf` is the fastest search that Node has. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
