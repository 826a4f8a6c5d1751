import { MAX_ZSTD_WINDOW, MAX_ZSTD_WORK } from "./limits.ts";
import { damaged, exceeds, Undecodable } from "./undecodable.ts";
import { xxh64 } from "./xxh64.ts";
import { type ZstdFrame, zstdFrames } from "./zstd-frames.ts";

type Decoder = typeof import("fzstd").Decompress;

/**
 * The content of a .zst file of one or several frames, checksums verified.
 * @throws Undecodable over `limit` bytes, for a window that is too large, for bytes after the last frame, for damage
 */
export async function unzstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const { Decompress } = await import("fzstd");
  const frames = [...zstdFrames(bytes)];
  checkClaims(frames, limit);
  const contents: Uint8Array[] = [];
  let total = 0;
  for (const frame of frames) {
    const content = decodeFrame(Decompress, frame, limit - total);
    if (content === undefined) throw exceeds(limit);
    checkContent(frame, content);
    contents.push(content);
    total += content.length;
  }
  return Buffer.concat(contents, total);
}

/** What the decoder would believe, and allocate or move for it. */
function checkClaims(frames: readonly ZstdFrame[], limit: number): void {
  let claimed = 0;
  let work = 0;
  for (const { windowSize, contentSize = 0, blocks } of frames) {
    claimed += contentSize;
    if (claimed > limit) throw exceeds(limit);
    // A single-segment frame has its content as window, and that was measured already.
    if (windowSize > Math.max(MAX_ZSTD_WINDOW, contentSize)) {
      throw new Undecodable("limits", `needs a window of ${windowSize} bytes, at most ${MAX_ZSTD_WINDOW} are given`);
    }
    // The whole window is moved once a block, so that many tiny blocks would cost hours.
    work += blocks * windowSize;
    if (work > MAX_ZSTD_WORK) throw new Undecodable("limits", "has too many blocks for so large a window");
  }
}

/** Undefined for more than `limit` bytes. One frame at a time: the decoder does not tell where a frame ends. */
function decodeFrame(decoder: Decoder, frame: ZstdFrame, limit: number): Uint8Array | undefined {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const tooMuch = new Error("over the limit");
  const stream = new decoder((chunk) => {
    size += chunk.length;
    if (size > limit) throw tooMuch;
    chunks.push(chunk);
  });
  try {
    stream.push(frame.bytes, true);
  } catch (error) {
    if (error === tooMuch) return undefined;
    throw damaged(error);
  }
  return Buffer.concat(chunks, size);
}

/** What the decoder does not check. */
function checkContent(frame: ZstdFrame, content: Uint8Array): void {
  if (frame.contentSize !== undefined && frame.contentSize !== content.length) {
    throw new Undecodable("damaged", `holds ${content.length} bytes where it says ${frame.contentSize}`);
  }
  if (frame.checksum !== undefined && frame.checksum !== Number(xxh64(content) & 0xffffffffn)) {
    throw new Undecodable("damaged", "does not have the content that its checksum tells");
  }
}
