/** Finds the frames in a .zst file (RFC 8878 section 3.1), and the sizes in their headers, without decompression. */
import { Undecodable } from "./undecodable.ts";

/** The first four bytes of a frame, as a little-endian number. */
export const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** The maximum size of a block, in bytes. */
export const MAX_BLOCK = 128 * 1024;

interface ZstdFrame {
  /** The whole frame, with header and checksum. */
  readonly bytes: Uint8Array;
  /** The size of the content in bytes; undefined if the frame does not give the size. */
  readonly contentSize: number | undefined;
  /** The maximum decompressed size of the frame's blocks, in bytes. */
  readonly mostContent: number;
}

/**
 * Yields all frames except skippable frames.
 * @throws Undecodable if a frame ends early, uses a dictionary or a reserved value, or if other bytes follow
 */
export function* zstdFrames(file: Uint8Array): Generator<ZstdFrame> {
  let rest = file;
  do {
    const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
    try {
      const magic = view.getUint32(0, true);
      if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
        const end = 8 + view.getUint32(4, true);
        if (end > rest.length) throw new Undecodable("damaged", "ends inside a skippable frame");
        rest = rest.subarray(end);
      } else if (magic === FRAME_MAGIC) {
        const frame = readFrame(rest, view);
        yield frame;
        rest = rest.subarray(frame.bytes.length);
      } else {
        throw new Undecodable(rest === file ? "damaged" : "trailing", "has bytes that are not a zstd frame");
      }
    } catch (error) {
      // DataView throws a RangeError for a read past the end.
      if (error instanceof RangeError) throw new Undecodable("damaged", "ends inside a frame");
      throw error;
    }
  } while (rest.length > 0);
}

function readFrame(bytes: Uint8Array, view: DataView): ZstdFrame {
  const { hasChecksum, windowSize, contentSize, blocks } = readFrameHeader(view);
  let position = blocks;
  const blockLimit = Math.min(MAX_BLOCK, windowSize);
  let mostContent = 0;
  for (let last = false; !last; ) {
    const header = view.getUint16(position, true) | (view.getUint8(position + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3) throw new Undecodable("damaged", "has a block of the reserved type");
    if (size > blockLimit) throw new Undecodable("damaged", "has a block larger than its window allows");
    // A compressed block (type 2) does not give the size of its content, but other blocks do.
    mostContent += type === 2 ? blockLimit : size;
    // Type 1 repeats one byte `size` times.
    position += 3 + (type === 1 ? 1 : size);
  }
  if (hasChecksum) position += 4;
  if (position > bytes.length) throw new Undecodable("damaged", "ends inside a frame");
  return { bytes: bytes.subarray(0, position), contentSize, mostContent };
}

interface FrameHeader {
  readonly hasChecksum: boolean;
  /** The size of the decompression window, in bytes. */
  readonly windowSize: number;
  readonly contentSize: number | undefined;
  /** Offset of the first block in the frame. */
  readonly blocks: number;
}

/**
 * Reads the header of a frame (RFC 8878 section 3.1.1.1).
 * @throws Undecodable for a dictionary or a reserved value; RangeError if the header is incomplete
 */
export function readFrameHeader(view: DataView): FrameHeader {
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  if ((descriptor & 0x08) !== 0) throw new Undecodable("damaged", "sets a reserved bit in a frame header");
  if ((descriptor & 0x03) !== 0) throw new Undecodable("damaged", "needs a dictionary");

  let position = 5;
  let windowSize = 0;
  if (!singleSegment) {
    const exponent = view.getUint8(position) >>> 3;
    const mantissa = view.getUint8(position) & 7;
    windowSize = 2 ** (10 + exponent) * (1 + mantissa / 8);
    position += 1;
  }
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const contentSize = readContentSize(view, position, sizeField);
  position += sizeField;
  if (singleSegment) windowSize = contentSize ?? 0;
  return { hasChecksum, windowSize, contentSize, blocks: position };
}

function readContentSize(view: DataView, position: number, length: number): number | undefined {
  switch (length) {
    case 0:
      return undefined;
    case 1:
      return view.getUint8(position);
    case 2:
      // The two-byte form stores the size minus 256 (RFC 8878 section 3.1.1.1.4).
      return view.getUint16(position, true) + 256;
    case 4:
      return view.getUint32(position, true);
    default:
      return Number(view.getBigUint64(position, true));
  }
}
