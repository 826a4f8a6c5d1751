/** zstd itself: Node's own from 22.15 on, before that the same library made into WebAssembly. */
import * as zlib from "node:zlib";
import { exceeds, Undecodable } from "./undecodable.ts";

/** Beyond it the text of an index gets no smaller for a long time, only slower. */
const level = 9;

/** Bytes that the one made into WebAssembly may have in its hands: half of what it can address. */
const mostAtOnce = 1 << 30;

export interface Zstd {
  /** As `zstd -9` does it, with the content's size in the frame: the same bytes each time. */
  compress(content: Uint8Array): Uint8Array;
  /**
   * The content of one frame, checksum verified. It must be whole, as `zstdFrames` makes sure: Node 22 takes one that is cut off
   * for an empty one.
   * @param room bytes that it may have; at least 1
   * @throws Error for more, and for damage
   */
  decompress(frame: Uint8Array, room: number): Uint8Array;
}

/** What Node 22.15 and newer have, in as far as it is called here. The types are those of Node 20. */
interface NodeZstd {
  zstdCompressSync(content: Uint8Array, options: object): Buffer;
  zstdDecompressSync(frame: Uint8Array, options: object): { buffer: Buffer; engine: { bytesWritten: number } };
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** Node's own; undefined where it has none. */
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

/** The one made into WebAssembly. Once for all: begun a second time, the library goes on before it is ready. */
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
      // It does not notice that there is no memory left.
      if (frame.length + room > mostAtOnce) throw exceeds(mostAtOnce);
      // A frame that tells its size gets that much room, one that does not as much as it is given.
      return decompress(frame, { defaultHeapSize: room });
    },
  };
}

/** Loaded when the first .zst is met. */
export async function loadZstd(): Promise<Zstd> {
  return nodeZstd() ?? (await wasmZstd());
}
