/** The decoder of single zstd frames for browsers. It verifies no checksum of theirs: whatever is read here is compared with a signed digest. */
import { Decompress } from "fzstd";
import type { loadZstd as load } from "../../packages/compression/zstd-library.ts";
import { Room } from "./room.ts";

/** Pieces so small that what they decompress to is counted before it is large. */
const pieceLength = 64 * 1024;

function decompress(frame: Uint8Array, most: number): Uint8Array {
  const room = new Room(most);
  const decoder = new Decompress((piece) => room.add(piece));
  for (let at = 0; at < frame.length; at += pieceLength) {
    decoder.push(frame.subarray(at, at + pieceLength), at + pieceLength >= frame.length);
  }
  return room.bytes;
}

/** As the function of the same name in Node. */
export async function loadZstd(): Promise<Pick<Awaited<ReturnType<typeof load>>, "decompress">> {
  return { decompress };
}
