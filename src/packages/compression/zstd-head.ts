import { Undecodable } from "./undecodable.ts";
import { FRAME_MAGIC, MAX_BLOCK, readFrameHeader } from "./zstd-frames.ts";

const REPEATED = 1;
const COMPRESSED = 2;

/** The beginning of a .zst file. */
interface ZstdHead {
  readonly bytes: Uint8Array;
  /** Whether the beginning ends here because the next block could make the content larger than the limit. */
  readonly isFull: boolean;
}

/**
 * Returns the first blocks of a .zst file as a complete file. Blocks refer only to earlier blocks, so the beginning of a large
 * package can be read without the rest (RFC 8878 section 3.1.1).
 * @param prefix the first bytes of the file
 * @param most maximum decompressed size of the blocks, in bytes
 * @returns undefined if the prefix has no complete block within the limit, or does not begin with a frame
 * @throws Undecodable if the frame's header is not valid or needs a dictionary
 */
export function zstdHead(prefix: Uint8Array, most: number): ZstdHead | undefined {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.length);
  try {
    if (view.getUint32(0, true) !== FRAME_MAGIC) return undefined;
    const { windowSize, blocks } = readFrameHeader(view);
    const { end, last, isFull } = lastWholeBlock(view, blocks, most);
    if (last === undefined) return undefined;
    const body = Buffer.from(prefix.subarray(blocks, end));
    // The first bit of a block's header marks the last block.
    body[last - blocks] = (body[last - blocks] ?? 0) | 1;
    return { bytes: Buffer.concat([frameHeader(windowSize), body]), isFull };
  } catch (error) {
    // DataView throws a RangeError for a read past the end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Blocks {
  readonly end: number;
  readonly last: number | undefined;
  readonly isFull: boolean;
}

function lastWholeBlock(view: DataView, first: number, most: number): Blocks {
  let end = first;
  let last: number | undefined;
  let content = 0;
  while (end + 3 <= view.byteLength) {
    const header = view.getUint16(end, true) | (view.getUint8(end + 2) << 16);
    const type = (header >>> 1) & 3;
    const size = type === REPEATED ? 1 : header >>> 3;
    if (end + 3 + size > view.byteLength) break;
    // A compressed block does not give the size of its content.
    content += type === COMPRESSED ? MAX_BLOCK : header >>> 3;
    if (content > most) return { end, last, isFull: true };
    last = end;
    end += 3 + size;
    if ((header & 1) === 1) break;
  }
  return { end, last, isFull: false };
}

/** Makes a frame header without a checksum and a content size, because those in the file are for all blocks. */
function frameHeader(windowSize: number): Uint8Array {
  const exponent = Math.max(0, Math.ceil(Math.log2(Math.max(windowSize, 1))) - 10);
  if (exponent > 31) throw new Undecodable("damaged", "has an unreasonably large window");
  const header = Buffer.alloc(6);
  header.writeUInt32LE(FRAME_MAGIC, 0);
  header.writeUInt8(exponent << 3, 5);
  return header;
}
