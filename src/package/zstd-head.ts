import { Undecodable } from "./undecodable.ts";
import { FRAME_MAGIC, readFrameHeader } from "./zstd-frames.ts";

const REPEATED = 1;

/**
 * The first blocks of a .zst file as a whole file of their own: blocks refer to what comes before them only, so that
 * the beginning of a large package can be read without the rest (RFC 8878 section 3.1.1).
 * @param prefix the first bytes of the file
 * @returns undefined where not one whole block of a frame stands at its beginning
 * @throws Undecodable for what is no frame
 */
export function zstdHead(prefix: Uint8Array): Uint8Array | undefined {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.length);
  try {
    if (view.getUint32(0, true) !== FRAME_MAGIC) return undefined;
    const { windowSize, blocks } = readFrameHeader(view);
    const { end, last } = lastWholeBlock(view, blocks);
    if (last === undefined) return undefined;
    const body = Buffer.from(prefix.subarray(blocks, end));
    // The last block says so in its first bit.
    body[last - blocks] = (body[last - blocks] ?? 0) | 1;
    return Buffer.concat([frameHeader(windowSize), body]);
  } catch (error) {
    // DataView's word for reading past the end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function lastWholeBlock(view: DataView, first: number): { end: number; last: number | undefined } {
  let end = first;
  let last: number | undefined;
  while (end + 3 <= view.byteLength) {
    const header = view.getUint16(end, true) | (view.getUint8(end + 2) << 16);
    const size = ((header >>> 1) & 3) === REPEATED ? 1 : header >>> 3;
    if (end + 3 + size > view.byteLength) break;
    last = end;
    end += 3 + size;
    if ((header & 1) === 1) break;
  }
  return { end, last };
}

/** A header without checksum and content size: neither would be that of the first blocks alone. */
function frameHeader(windowSize: number): Uint8Array {
  const exponent = Math.max(0, Math.ceil(Math.log2(Math.max(windowSize, 1))) - 10);
  if (exponent > 31) throw new Undecodable("damaged", "has an absurd window");
  const header = Buffer.alloc(6);
  header.writeUInt32LE(FRAME_MAGIC, 0);
  header.writeUInt8(exponent << 3, 5);
  return header;
}
