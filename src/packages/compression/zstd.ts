import { damaged, exceeds, Undecodable } from "./undecodable.ts";
import { type ZstdFrame, zstdFrames } from "./zstd-frames.ts";

type Decoder = InstanceType<typeof import("zstddec").ZSTDDecoder>;

/**
 * The content of a .zst file of one or several frames, checksums verified.
 * @throws Undecodable over `limit` bytes, for bytes after the last frame, for damage
 */
export async function unzstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const frames = [...zstdFrames(bytes)];
  const most = frames.reduce((sum, { contentSize, mostContent }) => sum + (contentSize ?? mostContent), 0);
  // Several are put into one place at once: kept apart until the end, they would take twice their room.
  const whole = frames.length > 1 ? Buffer.allocUnsafe(Math.min(most, limit)) : undefined;
  let only: Uint8Array = new Uint8Array();
  let total = 0;
  for (const frame of frames) {
    const left = limit - total;
    if (frame.contentSize !== undefined && frame.contentSize > left) throw exceeds(limit);
    only = decodeFrame(await load(), frame, left) ?? tooLong(limit);
    whole?.set(only, total);
    total += only.length;
  }
  return whole?.subarray(0, total) ?? only;
}

function tooLong(limit: number): never {
  throw exceeds(limit);
}

async function load(): Promise<Decoder> {
  // Loaded when the first .zst is met: it carries a WASM module.
  const { ZSTDDecoder } = await import("zstddec");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return decoder;
}

/** Undefined for more than `limit` bytes. The decoder's one allocation is the output's, so it is given the size. */
function decodeFrame(decoder: Decoder, frame: ZstdFrame, limit: number): Uint8Array | undefined {
  const most = frame.contentSize ?? frame.mostContent;
  // Asked for 0 bytes, the decoder would trust the frame's own claim.
  const content = decode(decoder, frame.bytes, Math.max(1, Math.min(most, limit)));
  if (content.length > limit) return undefined;
  // The decoder answers an error with no bytes, and too small an output is an error too.
  if (content.length === 0 && most > 0) {
    if (most > limit)
      throw new Undecodable("limits", `is damaged or decompresses to more than the ${limit} bytes that are left`);
    throw damaged(undefined);
  }
  if (frame.contentSize !== undefined && frame.contentSize !== content.length) {
    throw new Undecodable("damaged", `holds ${content.length} bytes where it says ${frame.contentSize}`);
  }
  return content;
}

function decode(decoder: Decoder, frame: Uint8Array, size: number): Uint8Array {
  try {
    return decoder.decode(frame, size);
  } catch (error) {
    throw damaged(error);
  }
}
