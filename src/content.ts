/** Bytes that may be too many for memory. They can be read piece by piece, any number of times. */
export interface Content {
  /** The total number of bytes. */
  readonly length: number;
  /** Returns the bytes in pieces. A piece is valid only until the caller requests the next piece. */
  pieces(): Iterable<Uint8Array>;
}

/** Bytes, in memory or elsewhere. */
export type Data = Uint8Array | Content;

/** Returns the pieces of data. Bytes in memory are one piece. */
export function piecesOf(data: Data): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data.pieces();
}

/** Returns all bytes in memory. */
export function bytesOf(data: Data): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const bytes = Buffer.allocUnsafeSlow(data.length);
  let filled = 0;
  for (const piece of data.pieces()) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}
