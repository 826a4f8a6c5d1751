import { damaged, exceeds, Undecodable } from "./undecodable.ts";
import { type ZstdFrame, zstdFrames } from "./zstd-frames.ts";
import { loadZstd, type Zstd } from "./zstd-library.ts";

/**
 * The content of a .zst file of one or several frames, checksums verified.
 * @throws Undecodable over `limit` bytes, for bytes after the last frame, for damage
 */
export async function unzstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const frames = [...zstdFrames(bytes)];
  const most = frames.reduce((sum, { contentSize, mostContent }) => sum + (contentSize ?? mostContent), 0);
  // Several frames go into one buffer: kept apart until the end, they would take twice the memory.
  const whole = frames.length > 1 ? Buffer.allocUnsafe(Math.min(most, limit)) : undefined;
  let only: Uint8Array = new Uint8Array();
  let total = 0;
  const zstd = await loadZstd();
  for (const frame of frames) {
    const left = limit - total;
    if (frame.contentSize !== undefined && frame.contentSize > left) throw exceeds(limit);
    only = decodeFrame(zstd, frame, left) ?? tooLong(limit);
    whole?.set(only, total);
    total += only.length;
  }
  return whole?.subarray(0, total) ?? only;
}

function tooLong(limit: number): never {
  throw exceeds(limit);
}

/** Undefined for more than `limit` bytes. The decoder takes no more memory for the content than the room that it is given. */
function decodeFrame(zstd: Zstd, frame: ZstdFrame, limit: number): Uint8Array | undefined {
  const most = frame.contentSize ?? frame.mostContent;
  const content = decode(zstd, frame.bytes, most, limit);
  if (content.length > limit) return undefined;
  if (frame.contentSize !== undefined && frame.contentSize !== content.length) {
    throw new Undecodable("damaged", `has ${content.length} bytes, but says ${frame.contentSize}`);
  }
  return content;
}

function decode(zstd: Zstd, frame: Uint8Array, most: number, limit: number): Uint8Array {
  try {
    return zstd.decompress(frame, Math.max(1, Math.min(most, limit)));
  } catch (error) {
    if (error instanceof Undecodable) throw error;
    // Too little room is an error like any other.
    if (most <= limit) throw damaged(error);
    throw new Undecodable("limits", `is damaged or decompresses to more than the ${limit} bytes that are left`);
  }
}
