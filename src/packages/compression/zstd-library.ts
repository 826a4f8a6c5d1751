/** Loads the zstd library: Node's own in Node 22.15 and newer, otherwise the same library compiled to WebAssembly. */
import * as zlib from "node:zlib";
import { exceeds, Undecodable } from "./undecodable.ts";

/** The compression level. Higher levels are slower and make an index hardly smaller. */
const level = 9;

/** The maximum size of a frame and its content together for one call of the WebAssembly version, in bytes. */
const mostAtOnce = 1 << 30;

export interface Zstd {
  /** Compresses like `zstd -9`, with the content's size in the frame. The same content always gives the same bytes. */
  compress(content: Uint8Array): Uint8Array;
  /**
   * Decompresses one frame and verifies its checksum. The frame must be complete, because Node 22 treats an incomplete frame as
   * empty. `zstdFrames` yields only complete frames.
   * @param room size limit for the content in bytes, at least 1
   * @throws Error if the content is larger than the limit, or the frame is damaged
   */
  decompress(frame: Uint8Array, room: number): Uint8Array;
}

/** The zstd functions in Node 22.15 and newer. The installed types are for Node 20, which lacks these functions. */
interface NodeZstd {
  zstdCompressSync(content: Uint8Array, options: object): Buffer;
  zstdDecompressSync(frame: Uint8Array, options: object): { buffer: Buffer; engine: { bytesWritten: number } };
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** Returns Node's own zstd; undefined if Node has no zstd. */
export function nodeZstd(): Zstd | undefined {
  if (!("zstdDecompressSync" in zlib)) return undefined;
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as NodeZstd;
  return {
    compress(content) {
      const params = { [constants.ZSTD_c_compressionLevel]: level };
      return zstdCompressSync(content, { params, pledgedSrcSize: content.length });
    },
    decompress(frame, room) {
      const { buffer, engine } = zstdDecompressSync(frame, { maxOutputLength: room, info: true });
      if (engine.bytesWritten !== frame.length) throw new Undecodable("damaged", "has bytes after its end");
      return buffer;
    },
  };
}

let wasm: Promise<Zstd> | undefined;

/**
 * Returns the WebAssembly version of the library. Initialises the library only once: after a second initialisation, callers would use
 * the library before it is ready.
 */
export function wasmZstd(): Promise<Zstd> {
  wasm ??= loadWasm();
  return wasm;
}

async function loadWasm(): Promise<Zstd> {
  const { init, compress, decompress } = await import("@bokuweb/zstd-wasm");
  await init();
  return {
    compress: (content) => compress(content, level),
    decompress(frame, room) {
      // The library does not notice when memory runs out.
      if (frame.length + room > mostAtOnce) throw exceeds(mostAtOnce);
      // If the frame gives its content size, the library makes a buffer of that size. Otherwise it makes a buffer of `room` bytes.
      return decompress(frame, { defaultHeapSize: room });
    },
  };
}

/** Returns a zstd library. Loads the WebAssembly version only if Node has no zstd. */
export async function loadZstd(): Promise<Zstd> {
  return nodeZstd() ?? (await wasmZstd());
}
