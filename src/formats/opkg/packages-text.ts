/**
 * opkg's `Packages`: checks every stanza by T13 and reads the facts about its package.
 *
 * This is a scanner over bytes, because a string for each of a million fields would be slow.
 */
import type { DigestedEntry, EntrySource } from "../entry-source.ts";
import { readSize, wordProblem } from "../entry-values.ts";
import { isHex } from "../four-bytes.ts";
import { asBuffer, hashStart, hashStep, indexText, LineCursor, maxStanzaLength } from "../line-cursor.ts";
import { PackageIndex } from "../package-index.ts";
import { digestLength, FieldNames, type Role, role, roleCount } from "./field-names.ts";

const space = 0x20;
const tab = 0x09;
const slash = 0x2f;

/**
 * Checks a whole `Packages` text and returns its packages for look-ups. The result shares the text's memory.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function readPackages(bytes: Uint8Array): PackageIndex {
  return new PackageIndex(new OpkgScanner(bytes));
}

/**
 * Checks a text as {@link readPackages} does, except for packages that appear twice. The text comes in pieces of whole stanzas.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function checkPackages(pieces: Iterable<Uint8Array>): void {
  const names = new FieldNames();
  let line = 1;
  for (const piece of pieces) {
    names.forgetPlaces();
    const scanner = new OpkgScanner(piece, indexText, names);
    scanner.seek(0, line);
    while (scanner.next());
    line = scanner.nextLine;
  }
}

/** Goes from stanza to stanza. Its properties and `entry` describe the stanza that `next` reached. */
export class OpkgScanner implements EntrySource {
  readonly length: number;
  offset = 0;
  line = 0;
  nameHash = 0;
  keyHash = 0;
  fileHash = 0;
  readonly #cursor: LineCursor;
  readonly #bytes: Buffer;
  readonly #names: FieldNames;
  // Offset of each role's value in this stanza; -1 if the stanza lacks the value.
  readonly #starts = new Float64Array(roleCount);
  readonly #ends = new Float64Array(roleCount);
  #stanza = 0;

  /** @throws FeedkeyError with the code of `kind` if the text contains a NUL or a carriage return */
  constructor(bytes: Uint8Array, kind = indexText, names = new FieldNames()) {
    this.#names = names;
    this.#bytes = asBuffer(bytes);
    this.length = bytes.length;
    this.#cursor = new LineCursor(this.#bytes, kind);
  }

  /** The number of the line after the last line that was read. */
  get nextLine(): number {
    return this.#cursor.line + 1;
  }

  seek(offset: number, line: number): void {
    this.#cursor.seek(offset, line);
  }

  /**
   * Reads and checks the next stanza; returns false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind if the stanza is malformed
   */
  next(): boolean {
    const cursor = this.#cursor;
    let more = cursor.next();
    while (more && cursor.kind === "blank") more = cursor.next();
    if (!more) return false;
    this.#stanza++;
    this.#starts.fill(-1);
    this.offset = cursor.start;
    this.line = cursor.line;
    let current: Role = role.other;
    while (more && cursor.kind !== "blank") {
      if (cursor.kind === "field") current = this.#field();
      else if (current !== role.other && current !== role.description)
        throw cursor.error("continues a field that must be on one line");
      if (cursor.end - this.offset > maxStanzaLength) {
        throw cursor.error(`begins a stanza longer than ${maxStanzaLength} bytes`, this.line);
      }
      more = cursor.next();
    }
    this.#finish();
    return true;
  }

  entry(): DigestedEntry {
    return {
      name: this.#text(role.package) ?? "",
      version: this.#text(role.version) ?? "",
      architecture: this.#text(role.architecture) ?? "",
      filename: this.#text(role.filename),
      size: readSize(this.#text(role.size)),
      sha256: this.#text(role.sha256)?.toLowerCase(),
      description: this.#text(role.description),
      line: this.line,
      md5: this.#text(role.md5)?.toLowerCase(),
    };
  }

  /** Stores the offset of the value of the field at the cursor, if feedkey uses the field. */
  #field(): Role {
    const cursor = this.#cursor;
    const bytes = this.#bytes;
    const name = this.#names.at(cursor);
    if (name.seenIn === this.#stanza) throw cursor.error(`gives the field "${name.text}" a second time`);
    name.seenIn = this.#stanza;
    if (name.role === role.other) return name.role;
    let start = cursor.colon + 1;
    let end = cursor.end;
    while (start < end && (bytes[start] === space || bytes[start] === tab)) start++;
    while (end > start && (bytes[end - 1] === space || bytes[end - 1] === tab)) end--;
    const length = digestLength[name.role] ?? 0;
    if (length > 0) this.#checkDigest(name.text, name.role, length, start, end);
    else if (name.role <= role.architecture) this.#checkWord(name.text, start, end);
    this.#starts[name.role] = start;
    this.#ends[name.role] = end;
    return name.role;
  }

  #checkDigest(name: string, of: Role, length: number, start: number, end: number): void {
    if (end - start !== length) {
      throw this.#cursor.error(`has a "${name}" of ${end - start} characters instead of ${length} hex digits`);
    }
    const bytes = this.#bytes;
    if (!isHex(this.#cursor.view, start, length)) {
      throw this.#cursor.error(`has a "${name}" with a character that is not a hex digit`);
    }
    const known = this.#starts[of] ?? -1;
    if (known === -1) return;
    for (let at = 0; at < length; at++) {
      // Both bytes are hex digits. Upper and lower case differ in one bit.
      if (((bytes[start + at] ?? 0) | 0x20) !== ((bytes[known + at] ?? 0) | 0x20)) {
        throw this.#cursor.error(`has a "${name}" that contradicts the digest above it in the stanza`);
      }
    }
  }

  #checkWord(name: string, start: number, end: number): void {
    const problem = wordProblem(name, this.#bytes, start, end);
    if (problem !== undefined) throw this.#cursor.error(problem);
  }

  #finish(): void {
    const cursor = this.#cursor;
    if (this.#starts[role.package] === -1) throw cursor.error('begins a stanza without "Package"', this.line);
    if (this.#starts[role.version] === -1) throw cursor.error('begins a stanza without "Version"', this.line);
    this.nameHash = this.#hash(role.package, hashStart, 0);
    const withVersion = this.#hash(role.version, hashStep(this.nameHash, 0), 0);
    this.keyHash = this.#hash(role.architecture, hashStep(withVersion, 0), 0);
    const start = this.#starts[role.filename] ?? -1;
    let base = this.#ends[role.filename] ?? 0;
    while (base > start && start !== -1 && this.#bytes[base - 1] !== slash) base--;
    this.fileHash = this.#hash(role.filename, hashStart, base);
  }

  #hash(of: Role, seed: number, from: number): number {
    const start = this.#starts[of] ?? -1;
    const end = this.#ends[of] ?? 0;
    let hash = seed;
    if (start !== -1) for (let at = Math.max(start, from); at < end; at++) hash = hashStep(hash, this.#bytes[at] ?? 0);
    return hash;
  }

  #text(of: Role): string | undefined {
    const start = this.#starts[of] ?? -1;
    return start === -1 ? undefined : this.#bytes.toString("utf8", start, this.#ends[of]);
  }
}
