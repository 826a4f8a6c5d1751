/** Bytes that are read piece by piece, as often as they are wanted: there may be too many of them for memory. */
export interface Content {
  /** Bytes in all. */
  readonly length: number;
  /** Each is good until the next is asked for. */
  pieces(): Iterable<Uint8Array>;
}

/** Bytes, in memory or not. */
export type Data = Uint8Array | Content;

/** Of bytes in memory there is one piece. */
export function piecesOf(data: Data): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data.pieces();
}

/** All of them, in memory. */
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
