/** SHA-256 of a file of any size, piece by piece, so that the page stays responsive and memory small. */
import { createHash } from "node:crypto";

/** Bytes that are in memory at once; they take some 20 ms. */
const pieceLength = 2 * 1024 * 1024;

/** What can be read in pieces: a file of the browser. */
export interface Sliceable {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * The SHA-256 of a file, lower-case hex, with the number of bytes that were hashed.
 * @param onProgress called with the bytes that are done
 * @param pause lets the browser do other work between two pieces
 * @throws Error if the file can't be read to its end, or is changed meanwhile
 */
export async function digestOf(
  file: Sliceable,
  onProgress: (done: number) => void,
  pause: () => Promise<void>,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  let done = 0;
  while (done < file.size) {
    const piece = new Uint8Array(await file.slice(done, done + pieceLength).arrayBuffer());
    if (piece.length === 0) throw new Error("the file ends early");
    hash.update(piece);
    done += piece.length;
    onProgress(done);
    await pause();
  }
  return { size: done, sha256: hash.digest("hex") };
}
