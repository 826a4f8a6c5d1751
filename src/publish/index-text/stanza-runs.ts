/** Cuts a text that comes in pieces at empty lines, where stanzas end. */

/**
 * The text in runs that end with an empty line, the last one as it ends. Each is good until the next is asked for.
 * @param least bytes of a run; with 1 each is a stanza
 */
export function* stanzaRuns(pieces: Iterable<Uint8Array>, least: number): Generator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    const text =
      rest.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([rest, piece]);
    let start = 0;
    // What was searched before has no empty line beyond the least.
    let from = Math.max(least, rest.length - 1);
    for (;;) {
      const end = text.indexOf("\n\n", Math.max(start, from - 2));
      if (end === -1) break;
      yield text.subarray(start, end + 2);
      start = end + 2;
      from = start + least;
    }
    // A copy: the next piece may come in the same memory.
    rest = Buffer.from(text.subarray(start));
  }
  if (rest.length > 0) yield rest;
}
