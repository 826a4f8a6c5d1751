/** Computes the SHA-256 of a file of any size in pieces, so that the page stays responsive and uses little memory. */
import { createHash } from "node:crypto";

/** The number of bytes in memory at a time; a browser hashes them in about 20 ms. */
const pieceLength = 2 * 1024 * 1024;

/** A file in the browser, which can be read in pieces. */
interface Sliceable {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Returns the SHA-256 of a file in lower-case hex, and the number of bytes that were hashed.
 * @param onProgress called with the number of bytes hashed so far
 * @param pause lets the browser do other work between two pieces
 * @throws Error if the file can't be read to its end, or changes while it is read
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
