import { damaged, exceeds, Undecodable } from "./undecodable.ts";
import { zstdFrames } from "./zstd-frames.ts";
import { loadZstd, type Zstd } from "./zstd-library.ts";

/**
 * Decompresses a .zst file with one or more frames, and verifies the checksums.
 * @throws Undecodable if the content exceeds `limit` bytes, if bytes follow the last frame, or for damage
 */
export async function unzstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const frames = [...zstdFrames(bytes)];
  const most = frames.reduce((sum, { contentSize, mostContent }) => sum + (contentSize ?? mostContent), 0);
  // Several frames share one buffer, because separate buffers would need twice the memory.
  const whole = frames.length > 1 ? Buffer.allocUnsafe(Math.min(most, limit)) : undefined;
  let only: Uint8Array = new Uint8Array();
  let total = 0;
  const zstd = await loadZstd();
  for (const frame of frames) {
    const left = limit - total;
    const { bytes: packed, contentSize, mostContent } = frame;
    if (contentSize !== undefined && contentSize > left) throw exceeds(limit);
    // The decoder uses no more memory for the content than the given buffer.
    only = decode(zstd, packed, contentSize ?? mostContent, left);
    if (only.length > left) throw exceeds(limit);
    if (contentSize !== undefined && contentSize !== only.length) {
      throw new Undecodable("damaged", `has ${only.length} bytes, but its header says ${contentSize}`);
    }
    whole?.set(only, total);
    total += only.length;
  }
  return whole?.subarray(0, total) ?? only;
}

function decode(zstd: Zstd, frame: Uint8Array, most: number, limit: number): Uint8Array {
  try {
    return zstd.decompress(frame, Math.max(1, Math.min(most, limit)));
  } catch (error) {
    if (error instanceof Undecodable) throw error;
    // The decoder's error does not show whether the buffer was too small or the data is damaged.
    if (most <= limit) throw damaged(error);
    throw new Undecodable("limits", `is damaged or decompresses to more than ${limit} bytes`);
  }
}
