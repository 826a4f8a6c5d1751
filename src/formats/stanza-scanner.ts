/** The shared part of scanners for texts in stanzas: visits each stanza, and stores the values' offsets and hashes. */
import type { DigestedEntry, EntrySource } from "./entry-source.ts";
import { wordProblem } from "./entry-values.ts";
import { hashStart, hashStep, type LineWalker, maxStanzaLength } from "./line-cursor.ts";

const slash = 0x2f;

/** A cursor over the lines of a text in stanzas. */
interface StanzaCursor extends LineWalker {
  /** The kind of the line. Blank lines separate stanzas. */
  readonly kind: string;
  next(): boolean;
}

/** Visits each stanza. The properties and `entry` describe the stanza that `next` reached. */
export abstract class StanzaScanner<Cursor extends StanzaCursor> implements EntrySource {
  readonly length: number;
  offset = 0;
  line = 0;
  nameHash = 0;
  keyHash = 0;
  fileHash = 0;
  protected readonly cursor: Cursor;
  protected readonly bytes: Buffer;
  // Offset of each role's value in this stanza; -1 if the stanza does not have the value.
  protected readonly starts: Float64Array;
  protected readonly ends: Float64Array;

  /** @param roles the number of roles that a value may have */
  constructor(cursor: Cursor, roles: number) {
    this.cursor = cursor;
    this.bytes = cursor.bytes;
    this.length = cursor.bytes.length;
    this.starts = new Float64Array(roles);
    this.ends = new Float64Array(roles);
  }

  /** The number of the line after the last line that was read. */
  get nextLine(): number {
    return this.cursor.line + 1;
  }

  seek(offset: number, line: number): void {
    this.cursor.seek(offset, line);
  }

  /**
   * Reads and checks the next stanza; returns false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind if the stanza is malformed
   */
  next(): boolean {
    const { cursor } = this;
    let more = cursor.next();
    while (more && cursor.kind === "blank") more = cursor.next();
    if (!more) return false;
    this.starts.fill(-1);
    this.offset = cursor.start;
    this.line = cursor.line;
    this.begin();
    while (more && cursor.kind !== "blank") {
      this.readLine();
      if (cursor.end - this.offset > maxStanzaLength) {
        throw cursor.error(`begins a stanza longer than ${maxStanzaLength} bytes`, this.line);
      }
      more = cursor.next();
    }
    this.finish();
    return true;
  }

  abstract entry(): DigestedEntry;

  /** Resets the data about the last stanza. */
  protected abstract begin(): void;

  /** Checks the line at the cursor. Stores the offset of the line's value if feedkey uses the value. */
  protected abstract readLine(): void;

  /** Checks that the stanza is complete, and computes its hashes. */
  protected abstract finish(): void;

  /** Checks a value that must be one word. */
  protected checkWord(name: string, start: number, end: number): void {
    const problem = wordProblem(name, this.bytes, start, end);
    if (problem !== undefined) throw this.cursor.error(problem);
  }

  /** Adds a value, or the part of the value between two offsets, to a hash. */
  protected hash(of: number, seed: number, from = 0, end = this.ends[of] ?? 0): number {
    const start = this.starts[of] ?? -1;
    let hash = seed;
    if (start !== -1) for (let at = Math.max(start, from); at < end; at++) hash = hashStep(hash, this.bytes[at] ?? 0);
    return hash;
  }

  /** Computes the hash of a path's last segment. */
  protected hashLastSegment(of: number): number {
    const start = this.starts[of] ?? -1;
    let base = this.ends[of] ?? 0;
    while (base > start && start !== -1 && this.bytes[base - 1] !== slash) base--;
    return this.hash(of, hashStart, base);
  }

  protected text(of: number): string | undefined {
    const start = this.starts[of] ?? -1;
    return start === -1 ? undefined : this.bytes.toString("utf8", start, this.ends[of]);
  }
}

/**
 * Checks a text that arrives in pieces. Each piece consists of whole stanzas.
 * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
 */
export function checkPieces(
  pieces: Iterable<Uint8Array>,
  scannerOf: (piece: Uint8Array, firstLine: number) => Pick<StanzaScanner<StanzaCursor>, "next" | "nextLine">,
): void {
  let line = 1;
  for (const piece of pieces) {
    const scanner = scannerOf(piece, line);
    while (scanner.next());
    line = scanner.nextLine;
  }
}
