/** Reading stanzas from a stream: parted at empty lines, so that no stanza is ever cut. */
import type { FeedkeyError } from "../error.ts";
import { asBuffer, badText, indexText, type TextKind } from "./line-cursor.ts";

/** The longest stanza, in bytes: what the chunked reader may have to hold. */
export const maxStanzaLength = 16 << 20;

/** The error for a stanza that is longer. */
export function tooLong(kind: TextKind, line: number): FeedkeyError {
  return badText(kind, line, `begins a stanza longer than ${maxStanzaLength} bytes`);
}

/**
 * Gives whole stanzas to a reader, holding no more than a chunk and a stanza at a time.
 * @param readFrom reads whole stanzas, of which the first line has that number; returns the number of the line after
 *   the last
 * @throws FeedkeyError `bad_index` for a stanza that is too long; what `readFrom` throws
 */
export async function* readChunks<Piece>(
  chunks: AsyncIterable<Uint8Array>,
  readFrom: (bytes: Uint8Array, firstLine: number) => Generator<Piece, number>,
): AsyncGenerator<Piece, void> {
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let line = 1;
  let afterNewline = false;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    const cut = lastBlankLine(chunk, afterNewline);
    if (cut > 0) {
      line = yield* readFrom(Buffer.concat([...held, chunk.subarray(0, cut)]), line);
      held = [];
      heldLength = 0;
    }
    held.push(chunk.subarray(cut));
    heldLength += chunk.length - cut;
    if (heldLength > maxStanzaLength) throw tooLong(indexText, line);
    afterNewline = chunk.at(-1) === 0x0a;
  }
  yield* readFrom(Buffer.concat(held), line);
}

/** The offset behind the last empty line of a chunk, or 0: there the text can be parted without parting a stanza. */
function lastBlankLine(chunk: Uint8Array, afterNewline: boolean): number {
  const at = asBuffer(chunk).lastIndexOf("\n\n");
  if (at !== -1) return at + 2;
  return afterNewline && chunk[0] === 0x0a ? 1 : 0;
}
