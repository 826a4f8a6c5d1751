/**
 * What the page can decompress: gzip with the browser's own decoder, zstd with a library. xz and bzip2 are left out, because no library for
 * them is small, maintained and without WebAssembly.
 */
import type { decoders as all } from "../../packages/compression/decoders.ts";
import { damaged } from "../../packages/compression/undecodable.ts";
import { unzstd } from "../../packages/compression/zstd.ts";
import { Room } from "./room.ts";

async function gunzip(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const room = new Room(limit);
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw damaged(error);
    });
    if (done) return room.bytes;
    try {
      room.add(value);
    } catch (error) {
      await reader.cancel().catch(() => undefined);
      throw error;
    }
  }
}

export const decoders: typeof all = { gzip: gunzip, zstd: unzstd };
