import { damaged, exceeds } from "./undecodable.ts";

/**
 * Decompresses a .xz file with one or more streams. Allows padding with zeros, as the format does. The decoder reports dictionaries
 * of more than 64 MiB and SHA-256 checks as damage.
 * @throws Undecodable if the content exceeds `limit` bytes, or for damage
 */
export async function unxz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of unxzChunks([bytes], limit)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Decompresses a .xz file piece by piece, until the reader stops.
 * @throws Undecodable if the content exceeds `limit` bytes, or for damage; the pieces' errors
 */
export async function* unxzChunks(pieces: Iterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array, void> {
  // feedkey loads the library, which contains a WebAssembly module, only when it decompresses a .xz file.
  const { XzReadableStream } = (await import("xz-decompress")).default;
  const given: { error?: unknown } = {};
  const reader = new XzReadableStream(streamOf(noting(pieces, given))).getReader();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw given.error ?? damaged(cause);
      });
      if (done) return;
      total += value.length;
      if (total > limit) throw exceeds(limit);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Returns a stream of the pieces. Takes each piece only when the reader asks for one. */
function streamOf(pieces: Generator<Uint8Array, void>): ReadableStream<Uint8Array> {
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { done, value } = pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void pieces.return(),
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** Passes the pieces on. Keeps an error that the pieces throw, because the decoder may wrap the error in another error. */
function* noting(pieces: Iterable<Uint8Array>, given: { error?: unknown }): Generator<Uint8Array, void> {
  try {
    yield* pieces;
  } catch (error) {
    given.error = error;
    throw error;
  }
}
