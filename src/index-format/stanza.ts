/**
 * A lossless reader and writer of `Packages` texts: the bytes of all pieces, put together, are the text.
 * For editing and inspecting; whoever only looks packages up uses `opkg.ts`, which makes no objects.
 */
import { indexText, LineCursor, type TextKind } from "./line-cursor.ts";
import { maxStanzaLength, readChunks, tooLong } from "./stanza-chunks.ts";

export { maxStanzaLength } from "./stanza-chunks.ts";

export interface StanzaField {
  /** As it is spelled. */
  readonly name: string;
  /** Everything between the colon and the field's last newline, continuation lines included. */
  readonly raw: Uint8Array;
  /** Line number of the field's name, from 1. */
  readonly line: number;
}

export interface Stanza {
  readonly kind: "stanza";
  readonly bytes: Uint8Array;
  /** Line number of the first field, from 1. */
  readonly line: number;
  /** One or more. */
  readonly fields: readonly StanzaField[];
  /** False for a last line without its newline. */
  readonly terminated: boolean;
}

/** Empty lines before, between and after stanzas; the chunked reader may give a long run in parts. */
export interface BlankLines {
  readonly kind: "blank";
  readonly bytes: Uint8Array;
  readonly line: number;
}

export type Piece = Stanza | BlankLines;

/**
 * Reads a whole text. Only the grammar of lines is checked: what an index must hold is the business of `opkg.ts`.
 * The pieces share the text's memory.
 * @throws FeedkeyError with the line and the code of `kind`, when the reading gets there
 */
export function* readStanzas(bytes: Uint8Array, kind = indexText): Generator<Piece, void> {
  yield* readFrom(bytes, kind, 1);
}

/**
 * The same over chunks, holding no more than a chunk and a stanza at a time. A chunk must not change afterwards.
 * @throws FeedkeyError `bad_index` with the line
 */
export function readStanzaChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece, void> {
  return readChunks(chunks, (bytes, line) => readFrom(bytes, indexText, line));
}

/** The bytes of a stanza, put together again from its fields. */
export function writeStanza(stanza: Pick<Stanza, "fields" | "terminated">): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [index, field] of stanza.fields.entries()) {
    parts.push(Buffer.from(`${index === 0 ? "" : "\n"}${field.name}:`, "latin1"), field.raw);
  }
  if (stanza.terminated) parts.push(Buffer.from("\n"));
  return Buffer.concat(parts);
}

/** Reads pieces from `firstLine` on; returns the number of the line after the last. */
function* readFrom(bytes: Uint8Array, kind: TextKind, firstLine: number): Generator<Piece, number> {
  const cursor = new LineCursor(bytes, kind, firstLine);
  let more = cursor.next();
  while (more) {
    const { start, line } = cursor;
    const fields: StanzaField[] = [];
    const blank = cursor.kind === "blank";
    let end = start;
    while (more && (cursor.kind === "blank") === blank) {
      if (blank) {
        end = cursor.end + 1;
        more = cursor.next();
        continue;
      }
      const field = { start: cursor.start, colon: cursor.colon, line: cursor.line };
      do {
        end = cursor.end;
        more = cursor.next();
      } while (more && cursor.kind === "continuation");
      const name = cursor.bytes.toString("latin1", field.start, field.colon);
      fields.push({ name, raw: cursor.bytes.subarray(field.colon + 1, end), line: field.line });
    }
    if (blank) {
      yield { kind: "blank", bytes: cursor.bytes.subarray(start, end), line };
      continue;
    }
    const terminated = end < cursor.bytes.length;
    const text = cursor.bytes.subarray(start, terminated ? end + 1 : end);
    if (text.length > maxStanzaLength) throw tooLong(kind, line);
    yield { kind: "stanza", bytes: text, line, fields, terminated };
  }
  return cursor.line + 1;
}
