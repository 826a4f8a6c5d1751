/**
 * pkgsrc's `pkg_summary`: checks every stanza by T13 and reads the facts about its package. Like `packages-text.ts`, this is a
 * scanner over bytes.
 */
import type { DigestedEntry, EntrySource } from "../entry-source.ts";
import { readSize, wordProblem } from "../entry-values.ts";
import { asBuffer, hashStart, hashStep, indexText, maxStanzaLength } from "../line-cursor.ts";
import { PackageIndex } from "../package-index.ts";
import { type FileCksum, parseFileCksum } from "./file-cksum.ts";
import { SummaryCursor } from "./summary-cursor.ts";
import {
  allRequired,
  missingVariable,
  type SummaryRole,
  summaryRole,
  summaryRoleCount,
  type Variable,
  variableAt,
} from "./summary-variables.ts";

const dash = 0x2d;
const slash = 0x2f;
// pkg_summary(5): without FILE_NAME, the file is named PKGNAME with this extension.
const defaultEnding = ".tgz";

/**
 * Checks a whole summary and returns its packages for look-ups. The result shares the text's memory.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function readSummaryPackages(bytes: Uint8Array): PackageIndex {
  return new PackageIndex(new SummaryScanner(bytes));
}

/**
 * Checks a text as {@link readSummaryPackages} does, except for packages that appear twice. The text comes in pieces of whole
 * stanzas.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function checkSummary(pieces: Iterable<Uint8Array>): void {
  let line = 1;
  for (const piece of pieces) {
    const scanner = new SummaryScanner(piece);
    scanner.seek(0, line);
    while (scanner.next());
    line = scanner.nextLine;
  }
}

/** Goes from stanza to stanza. Its properties and `entry` describe the stanza that `next` reached. */
export class SummaryScanner implements EntrySource {
  readonly length: number;
  offset = 0;
  line = 0;
  nameHash = 0;
  keyHash = 0;
  fileHash = 0;
  readonly #cursor: SummaryCursor;
  readonly #bytes: Buffer;
  // Offset of each role's value in this stanza; -1 if the stanza lacks the value.
  readonly #starts = new Float64Array(summaryRoleCount);
  readonly #ends = new Float64Array(summaryRoleCount);
  // The variables seen in this stanza that may appear only once.
  readonly #seen = new Set<Variable>();
  #required = 0;
  #dash = 0;

  /** @throws FeedkeyError with the code of `kind` if the text contains a NUL or a carriage return */
  constructor(bytes: Uint8Array, kind = indexText) {
    this.#bytes = asBuffer(bytes);
    this.length = bytes.length;
    this.#cursor = new SummaryCursor(this.#bytes, kind);
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
    this.#starts.fill(-1);
    this.#seen.clear();
    this.#required = 0;
    this.offset = cursor.start;
    this.line = cursor.line;
    while (more && cursor.kind === "variable") {
      this.#variable();
      if (cursor.end - this.offset > maxStanzaLength) {
        throw cursor.error(`begins a stanza longer than ${maxStanzaLength} bytes`, this.line);
      }
      more = cursor.next();
    }
    if (this.#required !== allRequired) {
      throw cursor.error(`begins a stanza without "${missingVariable(this.#required)}"`, this.line);
    }
    this.#hashAll();
    return true;
  }

  entry(): DigestedEntry {
    const full = this.#text(summaryRole.name) ?? "";
    const at = full.lastIndexOf("-");
    const checksum = this.#checksum();
    const sha256 = checksum?.algorithm === "sha256" ? checksum.hex : undefined;
    const md5 = checksum?.algorithm === "md5" ? checksum.hex : undefined;
    const other = checksum === undefined || sha256 !== undefined || md5 !== undefined ? undefined : checksum;
    return {
      name: full.slice(0, at),
      version: full.slice(at + 1),
      architecture: this.#text(summaryRole.architecture) ?? "",
      filename: this.#text(summaryRole.fileName) ?? `${full}${defaultEnding}`,
      size: readSize(this.#text(summaryRole.fileSize)),
      sha256,
      description: this.#text(summaryRole.comment),
      line: this.line,
      md5,
      ...(other === undefined ? {} : { otherDigest: `${other.algorithm} ${other.hex}` }),
    };
  }

  /** Checks the variable at the cursor, and stores the offset of its value if feedkey uses the variable. */
  #variable(): void {
    const cursor = this.#cursor;
    const variable = variableAt(this.#bytes, cursor.start, cursor.equals, cursor.nameHash);
    if (variable === undefined) return;
    if (!variable.repeatable) {
      if (this.#seen.has(variable)) throw cursor.error(`gives "${variable.name}" a second time`);
      this.#seen.add(variable);
    }
    this.#required |= variable.required;
    if (variable.role === summaryRole.other) return;
    this.#starts[variable.role] = cursor.equals + 1;
    this.#ends[variable.role] = cursor.end;
    if (variable.role === summaryRole.name) this.#checkName();
    else if (variable.role === summaryRole.architecture) this.#checkWord(variable.name);
    else if (variable.role === summaryRole.checksum) this.#checkChecksum();
  }

  #checkWord(name: string): void {
    const { equals, end } = this.#cursor;
    const problem = wordProblem(name, this.#bytes, equals + 1, end);
    if (problem !== undefined) throw this.#cursor.error(problem);
  }

  /** Splits `NAME-VERSION` at the last dash: the name may contain dashes, the version may not. */
  #checkName(): void {
    const cursor = this.#cursor;
    this.#checkWord("PKGNAME");
    const at = this.#bytes.lastIndexOf(dash, cursor.end - 1);
    if (at <= cursor.equals + 1 || at === cursor.end - 1) {
      throw cursor.error('has a "PKGNAME" that is not a name, a dash and a version');
    }
    this.#dash = at;
  }

  #checkChecksum(): void {
    const checksum = parseFileCksum(this.#text(summaryRole.checksum) ?? "");
    if (typeof checksum === "string") throw this.#cursor.error(`has a "FILE_CKSUM" that ${checksum}`);
  }

  #checksum(): FileCksum | undefined {
    const text = this.#text(summaryRole.checksum);
    const checksum = text === undefined ? undefined : parseFileCksum(text);
    return typeof checksum === "string" ? undefined : checksum;
  }

  #hashAll(): void {
    const start = this.#starts[summaryRole.name] ?? 0;
    const end = this.#ends[summaryRole.name] ?? 0;
    this.nameHash = this.#hash(hashStart, start, this.#dash);
    const withVersion = this.#hash(hashStep(this.nameHash, 0), this.#dash + 1, end);
    this.keyHash = this.#hash(
      hashStep(withVersion, 0),
      this.#starts[summaryRole.architecture] ?? 0,
      this.#ends[summaryRole.architecture] ?? 0,
    );
    this.fileHash = this.#hashFileName(start, end);
  }

  #hashFileName(nameStart: number, nameEnd: number): number {
    const start = this.#starts[summaryRole.fileName] ?? -1;
    const end = start === -1 ? nameEnd : (this.#ends[summaryRole.fileName] ?? 0);
    const first = start === -1 ? nameStart : start;
    let base = end;
    while (base > first && this.#bytes[base - 1] !== slash) base--;
    const hash = this.#hash(hashStart, base, end);
    if (start !== -1) return hash;
    return [...defaultEnding].reduce((seed, character) => hashStep(seed, character.charCodeAt(0)), hash);
  }

  #hash(seed: number, start: number, end: number): number {
    let hash = seed;
    for (let at = start; at < end; at++) hash = hashStep(hash, this.#bytes[at] ?? 0);
    return hash;
  }

  #text(of: SummaryRole): string | undefined {
    const start = this.#starts[of] ?? -1;
    return start === -1 ? undefined : this.#bytes.toString("utf8", start, this.#ends[of]);
  }
}
