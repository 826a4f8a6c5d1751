import { damaged, exceeds } from "./undecodable.ts";

/**
 * The content of a .xz file: one or several streams, padded with zeros as the format allows, and nothing else.
 * Dictionaries of more than 64 MiB and SHA-256 checks are beyond the decoder and refused as damage.
 * @throws Undecodable over `limit` bytes, for damage
 */
export async function unxz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  // Loaded when the first .xz is met: it carries a WASM module.
  const { XzReadableStream } = (await import("xz-decompress")).default;
  const reader = new XzReadableStream(streamOf(bytes)).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw damaged(cause);
    });
    if (done) return Buffer.concat(chunks, total);
    total += value.length;
    if (total > limit) {
      await reader.cancel();
      throw exceeds(limit);
    }
    chunks.push(value);
  }
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
