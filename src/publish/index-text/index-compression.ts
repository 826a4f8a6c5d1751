/** Writes the compressed forms of an index. */
import { availableParallelism } from "node:os";
import { type Data, piecesOf } from "../../content.ts";
import { FeedkeyError } from "../../error.ts";
import { compressionOf } from "../../formats/format.ts";
import { decompress } from "../../packages/compression/compression.ts";
import { inOrder } from "../../packages/compression/in-order.ts";
import { compressXz } from "../../packages/compression/xz-writer.ts";
import { loadZstd } from "../../packages/compression/zstd-library.ts";
import type { SummaryForm } from "../../profile/types.ts";
import { gzipMembers } from "./gzip-members.ts";

/**
 * The size, in bytes, of the blocks that feedkey compresses separately: the dictionary size of `xz -6`. Because of the blocks, the file is
 * 3 % larger.
 */
const blockSize = 8 * 1024 * 1024;
/** The largest number of threads. For .xz, each thread needs about 100 MB. */
const mostThreads = 4;

const writers: Readonly<Record<Exclude<SummaryForm, "gz">, (text: Uint8Array) => Promise<Uint8Array>>> = {
  xz: compressXz,
  zst: async (text) => (await loadZstd()).compress(text),
};

/**
 * Compresses an index piece by piece. The same index always gives the same bytes.
 * @param before an earlier .gz file with parts to reuse; the result does not depend on this file
 * @throws FeedkeyError `internal` if the result does not decompress to the index
 */
export async function* compressIndex(
  text: Data,
  form: SummaryForm = "gz",
  before?: Buffer,
): AsyncGenerator<Uint8Array, void> {
  if (form === "gz") {
    yield* gzipMembers(piecesOf(text), before);
    return;
  }
  yield* inOrder(blocksOf(text), Math.min(availableParallelism(), mostThreads), async (block) => {
    const written = await writers[form](block);
    // feedkey decompresses the result and compares the texts, because it must never sign a file that clients can't read.
    const read = await decompress(written, compressionOf[form], block.length, "internal");
    if (Buffer.compare(read, block) === 0) return written;
    throw new FeedkeyError("internal", `the .${form} form does not decompress to the index`);
  });
}

/** Yields the blocks of a text. Yields one empty block for an empty text. */
function* blocksOf(text: Data): Generator<Uint8Array, void> {
  let block = Buffer.allocUnsafeSlow(Math.min(blockSize, text.length));
  let filled = 0;
  for (const piece of piecesOf(text)) {
    for (let rest = piece; rest.length > 0; ) {
      if (filled === blockSize) {
        yield block;
        block = Buffer.allocUnsafeSlow(blockSize);
        filled = 0;
      }
      const part = rest.subarray(0, block.length - filled);
      block.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
    }
  }
  yield block.subarray(0, filled);
}
