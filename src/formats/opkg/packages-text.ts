/**
 * Reads opkg's `Packages`. Checks every stanza by rule T13, and reads the facts about the stanza's package.
 *
 * The scanner works on bytes, because creating a string for each of a million fields would be slow.
 */
import type { Content, Data } from "../../content.ts";
import type { DigestedEntry } from "../entry-source.ts";
import { readSize } from "../entry-values.ts";
import { isHex } from "../four-bytes.ts";
import { hashStart, hashStep, indexText, LineCursor } from "../line-cursor.ts";
import { PackageIndex } from "../package-index.ts";
import { checkPieces, StanzaScanner } from "../stanza-scanner.ts";
import { WindowScanner } from "../window-scanner.ts";
import { digestLength, FieldNames, type Role, role, roleCount } from "./field-names.ts";

const space = 0x20;
const tab = 0x09;

/**
 * Checks a whole `Packages` text and returns its packages for look-ups. The result shares the text's memory, or reads
 * the text again.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function readPackages(text: Data): PackageIndex {
  return new PackageIndex(text instanceof Uint8Array ? new OpkgScanner(text) : windowsOf(text));
}

function windowsOf(text: Content): WindowScanner {
  const names = new FieldNames();
  return new WindowScanner(text, {
    scannerOf: (bytes, firstLine) => new OpkgScanner(bytes, indexText, names, firstLine),
    onSwitch: () => names.forgetPlaces(),
  });
}

/**
 * Checks a text like {@link readPackages}, but does not look for packages that appear twice. Each piece of the text consists of
 * whole stanzas.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function checkPackages(pieces: Iterable<Uint8Array>): void {
  const names = new FieldNames();
  checkPieces(pieces, (piece, firstLine) => {
    names.forgetPlaces();
    return new OpkgScanner(piece, indexText, names, firstLine);
  });
}

/** Visits each stanza of a `Packages` text. */
export class OpkgScanner extends StanzaScanner<LineCursor> {
  readonly #names: FieldNames;
  #stanza = 0;
  /** The role of the field to which the current line belongs. */
  #current: Role = role.other;

  /** @throws FeedkeyError with the code of `kind` if the text contains a NUL or a carriage return */
  constructor(bytes: Uint8Array, kind = indexText, names = new FieldNames(), firstLine = 1) {
    super(new LineCursor(bytes, kind, firstLine), roleCount);
    this.#names = names;
  }

  entry(): DigestedEntry {
    return {
      name: this.text(role.package) ?? "",
      version: this.text(role.version) ?? "",
      architecture: this.text(role.architecture) ?? "",
      filename: this.text(role.filename),
      size: readSize(this.text(role.size)),
      sha256: this.text(role.sha256)?.toLowerCase(),
      description: this.text(role.description),
      line: this.line,
      md5: this.text(role.md5)?.toLowerCase(),
    };
  }

  protected override begin(): void {
    this.#stanza++;
    this.#current = role.other;
  }

  protected override readLine(): void {
    if (this.cursor.kind === "field") this.#current = this.#field();
    else if (this.#current !== role.other && this.#current !== role.description)
      throw this.cursor.error("continues a field that must be on one line");
  }

  /** Stores the offset of the current field's value if feedkey uses the field. */
  #field(): Role {
    const cursor = this.cursor;
    const bytes = this.bytes;
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
    else if (name.role <= role.architecture) this.checkWord(name.text, start, end);
    this.starts[name.role] = start;
    this.ends[name.role] = end;
    return name.role;
  }

  #checkDigest(name: string, of: Role, length: number, start: number, end: number): void {
    if (end - start !== length) {
      throw this.cursor.error(`has a "${name}" of ${end - start} characters instead of ${length} hex digits`);
    }
    const bytes = this.bytes;
    if (!isHex(this.cursor.view, start, length)) {
      throw this.cursor.error(`has a "${name}" with a character that is not a hex digit`);
    }
    const known = this.starts[of] ?? -1;
    if (known === -1) return;
    for (let at = 0; at < length; at++) {
      // Both bytes are hex digits. Upper and lower case differ in only one bit.
      if (((bytes[start + at] ?? 0) | 0x20) !== ((bytes[known + at] ?? 0) | 0x20)) {
        throw this.cursor.error(`has a "${name}" that contradicts the digest above it in the stanza`);
      }
    }
  }

  protected override finish(): void {
    const { cursor } = this;
    if (this.starts[role.package] === -1) throw cursor.error('begins a stanza without "Package"', this.line);
    if (this.starts[role.version] === -1) throw cursor.error('begins a stanza without "Version"', this.line);
    this.nameHash = this.hash(role.package, hashStart);
    const withVersion = this.hash(role.version, hashStep(this.nameHash, 0));
    this.keyHash = this.hash(role.architecture, hashStep(withVersion, 0));
    this.fileHash = this.hashLastSegment(role.filename);
  }
}
