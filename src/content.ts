/** Bytes that may not fit into memory. Callers can read these bytes piece by piece, as often as they need. */
export interface Content {
  /** The total number of bytes. */
  readonly length: number;
  /**
   * Returns the bytes in pieces. A piece is valid only until the caller requests the next piece.
   * @param from the offset of the first byte
   */
  pieces(from?: number): Iterable<Uint8Array>;
}

/** Bytes, in memory or elsewhere. */
export type Data = Uint8Array | Content;

/** Returns the bytes of data in pieces. Bytes in memory are a single piece. */
export function piecesOf(data: Data, from = 0): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data.subarray(from)] : data.pieces(from);
}

/** Reads all bytes of data into memory. */
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
