/**
 * Decodes single zstd frames in browsers. It does not verify the checksums of frames, because the page compares the decompressed bytes with
 * a signed digest.
 */
import { Decompress } from "fzstd";
import type { loadZstd as load } from "../../packages/compression/zstd-library.ts";
import { Room } from "./room.ts";

/** The number of bytes in a piece. Pieces are small, so that the size limit is checked before a piece decompresses to many bytes. */
const pieceLength = 64 * 1024;

function decompress(frame: Uint8Array, most: number): Uint8Array {
  const room = new Room(most);
  const decoder = new Decompress((piece) => room.add(piece));
  for (let at = 0; at < frame.length; at += pieceLength) {
    decoder.push(frame.subarray(at, at + pieceLength), at + pieceLength >= frame.length);
  }
  return room.bytes;
}

/** Returns the decoder, as the function with this name does for Node. */
export async function loadZstd(): Promise<Pick<Awaited<ReturnType<typeof load>>, "decompress">> {
  return { decompress };
}
