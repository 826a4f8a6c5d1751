/** Cuts a text that comes in pieces at empty lines, where stanzas end. */

/**
 * Yields the text in runs that end with an empty line; the last run may lack the empty line. A run is valid only until the caller
 * requests the next run.
 * @param least minimum size of a run in bytes; with 1, each run is a stanza
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
