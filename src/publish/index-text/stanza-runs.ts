/** Cuts a text that comes in pieces at empty lines, where stanzas end. */

/** More bytes than most stanzas have. */
const slack = 64 * 1024;

/**
 * Yields the text in runs that end with an empty line; the last run may lack the empty line. A run is valid only until the caller
 * requests the next run.
 * @param least minimum size of a run in bytes; with 1, each run is a stanza
 */
export function* stanzaRuns(pieces: Iterable<Uint8Array>, least: number): Generator<Buffer, void> {
  /** Joins the rest of the earlier pieces with the next piece. It is reused: new memory for each piece would be much garbage. */
  let memory = Buffer.alloc(0);
  let rest = 0;
  for (const piece of pieces) {
    let text = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    if (rest > 0) {
      const length = rest + piece.length;
      if (memory.length < length) memory = Buffer.concat([memory.subarray(0, rest)], length + least + slack);
      memory.set(piece, rest);
      text = memory.subarray(0, length);
    }
    let start = 0;
    // What was searched before has no empty line beyond the least.
    let from = Math.max(least, rest - 1);
    for (;;) {
      const end = text.indexOf("\n\n", Math.max(start, from - 2));
      if (end === -1) break;
      yield text.subarray(start, end + 2);
      start = end + 2;
      from = start + least;
    }
    rest = text.length - start;
    if (memory.length < rest) memory = Buffer.allocUnsafeSlow(rest);
    text.copy(memory, 0, start);
  }
  if (rest > 0) yield memory.subarray(0, rest);
}
