/** zstd itself: Node's own from 22.15 on, before that the same library made into WebAssembly. */
import * as zlib from "node:zlib";
import { exceeds, Undecodable } from "./undecodable.ts";

/** Higher levels are slower, but hardly make the text of an index smaller. */
const level = 9;

/** The most bytes to give to the WebAssembly version: half of its address space. */
const mostAtOnce = 1 << 30;

export interface Zstd {
  /** Compresses like `zstd -9`, with the content's size in the frame; the result is always the same. */
  compress(content: Uint8Array): Uint8Array;
  /**
   * The content of one frame, checksum verified. It must be complete, as `zstdFrames` checks: Node 22 treats an incomplete
   * frame as empty.
   * @param room bytes that it may have; at least 1
   * @throws Error for more, and for damage
   */
  decompress(frame: Uint8Array, room: number): Uint8Array;
}

/** The functions of Node 22.15 and newer that are used here; the installed types are those of Node 20. */
interface NodeZstd {
  zstdCompressSync(content: Uint8Array, options: object): Buffer;
  zstdDecompressSync(frame: Uint8Array, options: object): { buffer: Buffer; engine: { bytesWritten: number } };
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** Node's own zstd; undefined if it has none. */
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

/** The WebAssembly version. It must be initialised only once: a second time, the library continues before it is ready. */
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
      // A frame that gives its size gets a buffer of that size, others get the maximum.
      return decompress(frame, { defaultHeapSize: room });
    },
  };
}

/** Loaded for the first .zst. */
export async function loadZstd(): Promise<Zstd> {
  return nodeZstd() ?? (await wasmZstd());
}
