/** Cuts a text that arrives in pieces at the empty lines, which separate stanzas. */

/** A size, in bytes, that is larger than most stanzas. */
const slack = 64 * 1024;

/**
 * Yields the text in runs of whole stanzas. Each run except perhaps the last ends with an empty line. A run is valid only until the caller
 * requests the next run.
 * @param least the minimum size of a run in bytes; with 1, each run is one stanza
 */
export function* stanzaRuns(pieces: Iterable<Uint8Array>, least: number): Generator<Buffer, void> {
  /**
   * Contains the rest of the earlier pieces, followed by the next piece. The function reuses this memory, because new memory for each
   * piece would make much work for the garbage collector.
   */
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
    // The rest has no empty line after the minimum size, because an earlier search found none.
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
