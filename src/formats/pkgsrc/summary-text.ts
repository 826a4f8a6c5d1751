/**
 * Reads pkgsrc's `pkg_summary`. Checks every stanza by rule T13, and reads the facts about the stanza's package. Like
 * `packages-text.ts`, the scanner works on bytes.
 */
import type { DigestedEntry } from "../entry-source.ts";
import { readSize } from "../entry-values.ts";
import { hashStart, hashStep, indexText } from "../line-cursor.ts";
import { PackageIndex } from "../package-index.ts";
import { checkPieces, StanzaScanner } from "../stanza-scanner.ts";
import { type FileCksum, parseFileCksum } from "./file-cksum.ts";
import { SummaryCursor } from "./summary-cursor.ts";
import {
  allRequired,
  missingVariable,
  summaryRole,
  summaryRoleCount,
  type Variable,
  variableAt,
} from "./summary-variables.ts";

const dash = 0x2d;
// pkg_summary(5): if FILE_NAME is missing, the file's name is PKGNAME with this extension.
const defaultEnding = ".tgz";

/**
 * Checks a whole summary and returns its packages for look-ups. The result shares the text's memory.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function readSummaryPackages(bytes: Uint8Array): PackageIndex {
  return new PackageIndex(new SummaryScanner(bytes));
}

/**
 * Checks a text like {@link readSummaryPackages}, but does not look for packages that appear twice. Each piece of the text
 * consists of whole stanzas.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function checkSummary(pieces: Iterable<Uint8Array>): void {
  checkPieces(pieces, (piece, firstLine) => new SummaryScanner(piece, indexText, firstLine));
}

/** Visits each stanza of a summary. */
export class SummaryScanner extends StanzaScanner<SummaryCursor> {
  // The variables of this stanza that may appear only once.
  readonly #seen = new Set<Variable>();
  #required = 0;
  #dash = 0;

  /**
   * @param firstLine number of the text's first line
   * @throws FeedkeyError with the code of `kind` if the text contains a NUL or a carriage return
   */
  constructor(bytes: Uint8Array, kind = indexText, firstLine = 1) {
    super(new SummaryCursor(bytes, kind, firstLine), summaryRoleCount);
  }

  entry(): DigestedEntry {
    const full = this.text(summaryRole.name) ?? "";
    const at = full.lastIndexOf("-");
    const checksum = this.#checksum();
    const sha256 = checksum?.algorithm === "sha256" ? checksum.hex : undefined;
    const md5 = checksum?.algorithm === "md5" ? checksum.hex : undefined;
    const other = checksum === undefined || sha256 !== undefined || md5 !== undefined ? undefined : checksum;
    return {
      name: full.slice(0, at),
      version: full.slice(at + 1),
      architecture: this.text(summaryRole.architecture) ?? "",
      filename: this.text(summaryRole.fileName) ?? `${full}${defaultEnding}`,
      size: readSize(this.text(summaryRole.fileSize)),
      sha256,
      description: this.text(summaryRole.comment),
      line: this.line,
      md5,
      ...(other === undefined ? {} : { otherDigest: `${other.algorithm} ${other.hex}` }),
    };
  }

  protected override begin(): void {
    this.#seen.clear();
    this.#required = 0;
  }

  protected override readLine(): void {
    const { cursor } = this;
    const variable = variableAt(this.bytes, cursor.start, cursor.equals, cursor.nameHash);
    if (variable === undefined) return;
    if (!variable.repeatable) {
      if (this.#seen.has(variable)) throw cursor.error(`gives "${variable.name}" a second time`);
      this.#seen.add(variable);
    }
    this.#required |= variable.required;
    if (variable.role === summaryRole.other) return;
    this.starts[variable.role] = cursor.equals + 1;
    this.ends[variable.role] = cursor.end;
    if (variable.role === summaryRole.name) this.#checkName();
    else if (variable.role === summaryRole.architecture) this.checkWord(variable.name, cursor.equals + 1, cursor.end);
    else if (variable.role === summaryRole.checksum) this.#checkChecksum();
  }

  /** Splits `NAME-VERSION` at the last dash. The name may contain dashes, but the version may not. */
  #checkName(): void {
    const cursor = this.cursor;
    this.checkWord("PKGNAME", cursor.equals + 1, cursor.end);
    const at = this.bytes.lastIndexOf(dash, cursor.end - 1);
    if (at <= cursor.equals + 1 || at === cursor.end - 1) {
      throw cursor.error('has a "PKGNAME" that is not a name, a dash and a version');
    }
    this.#dash = at;
  }

  #checkChecksum(): void {
    const checksum = parseFileCksum(this.text(summaryRole.checksum) ?? "");
    if (typeof checksum === "string") throw this.cursor.error(`has a "FILE_CKSUM" that ${checksum}`);
  }

  #checksum(): FileCksum | undefined {
    const text = this.text(summaryRole.checksum);
    const checksum = text === undefined ? undefined : parseFileCksum(text);
    return typeof checksum === "string" ? undefined : checksum;
  }

  protected override finish(): void {
    if (this.#required !== allRequired) {
      throw this.cursor.error(`begins a stanza without "${missingVariable(this.#required)}"`, this.line);
    }
    this.nameHash = this.hash(summaryRole.name, hashStart, 0, this.#dash);
    const withVersion = this.hash(summaryRole.name, hashStep(this.nameHash, 0), this.#dash + 1);
    this.keyHash = this.hash(summaryRole.architecture, hashStep(withVersion, 0));
    this.fileHash = this.#hashFileName();
  }

  #hashFileName(): number {
    if (this.starts[summaryRole.fileName] !== -1) return this.hashLastSegment(summaryRole.fileName);
    const ofName = this.hashLastSegment(summaryRole.name);
    return [...defaultEnding].reduce((seed, character) => hashStep(seed, character.charCodeAt(0)), ofName);
  }
}
