/** Decompresses a file from its beginning, and stops when the reader needs no more. */
import { FeedkeyError } from "../error.ts";
import { unbzip2Head } from "./compression/bzip2.ts";
import { detectCompression } from "./compression/compression.ts";
import { gunzipChunks } from "./compression/gzip-stream.ts";
import { exceeds, Undecodable } from "./compression/undecodable.ts";
import { unxzChunks } from "./compression/xz.ts";
import { unzstd } from "./compression/zstd.ts";
import { zstdHead } from "./compression/zstd-head.ts";
import { damage } from "./damage.ts";
import { MAX_BZIP2_AT_ONCE, MAX_OUTER_TAR, MAX_ZSTD_AT_ONCE } from "./limits.ts";
import { type ByteSource, bytesSource, piecesOf } from "./source.ts";

const PIECE = 64 * 1024;
const FIRST_LOOK = 512 * 1024;

/**
 * Yields the content of a file that is compressed with gzip, bzip2, xz or zstd, piece by piece.
 * @throws FeedkeyError `bad_package` for another compression, damaged data, or content over the size limit
 */
export async function* contentChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const kind = detectCompression(source.read(0, Math.min(8, source.size)));
  if (kind === "gzip") {
    yield* gunzipChunks(source);
  } else if (kind === "none") {
    throw damage("expected data compressed with gzip, bzip2, xz or zstd, but found other data");
  } else {
    try {
      if (kind === "xz") yield* unxzChunks(piecesOf(source, PIECE), MAX_OUTER_TAR);
      else yield* kind === "zstd" ? unzstdChunks(source) : unbzip2Chunks(source);
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      throw new FeedkeyError("bad_package", `${kind} data ${error.message}`, {
        details: { compression: kind, reason: error.obstacle },
        cause: error,
      });
    }
  }
}

/** Decompresses the beginning of the file, then a longer beginning, and so on, because the decoder returns its output only at the end. */
async function* unbzip2Chunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  for (let look = FIRST_LOOK; ; look = Math.min(look * 8, MAX_BZIP2_AT_ONCE)) {
    const { content, whole } = await unbzip2Head(piecesOf(source, PIECE), look);
    yield* piecesOf(bytesSource(content.subarray(given)), PIECE);
    if (whole) return;
    if (look === MAX_BZIP2_AT_ONCE) throw exceeds(look);
    given = content.length;
  }
}

/**
 * Decompresses the beginning of the file, then a longer beginning, and so on. Makes a complete frame from each beginning, because the
 * decoder accepts only complete frames.
 */
async function* unzstdChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  for (let look = FIRST_LOOK; look < source.size; look *= 8) {
    // A longer beginning is useless, because a block never decompresses to less than its compressed size.
    const head = zstdHead(source.read(0, Math.min(look, MAX_ZSTD_AT_ONCE)), MAX_ZSTD_AT_ONCE);
    if (head === undefined) continue;
    const content = await unzstd(head.bytes, MAX_ZSTD_AT_ONCE);
    // Small pieces help a reader that takes one piece too many: the extra piece usually needs no further decompression.
    yield* piecesOf(bytesSource(content.subarray(given)), PIECE);
    given = content.length;
    if (head.isFull) throw exceeds(MAX_ZSTD_AT_ONCE);
  }
  if (source.size > MAX_ZSTD_AT_ONCE) throw exceeds(MAX_ZSTD_AT_ONCE);
  yield (await unzstd(source.read(0, source.size), MAX_ZSTD_AT_ONCE)).subarray(given);
}
