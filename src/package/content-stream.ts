/** What a compressed file holds, from its beginning on, as far as it is asked for. */
import { FeedkeyError } from "../error.ts";
import { detectCompression } from "./compression.ts";
import { damage } from "./damage.ts";
import { gunzipChunks } from "./gzip-stream.ts";
import { MAX_OUTER_TAR, MAX_ZSTD_AT_ONCE } from "./limits.ts";
import { type ByteSource, bytesSource, piecesOf } from "./source.ts";
import { Undecodable } from "./undecodable.ts";
import { unxzChunks } from "./xz.ts";
import { unzstd } from "./zstd.ts";
import { zstdHead } from "./zstd-head.ts";

const PIECE = 64 * 1024;
const FIRST_LOOK = 512 * 1024;

/**
 * The content of a file that is compressed with gzip, xz or zstd, piece by piece.
 * @throws FeedkeyError `bad_package` for another compression, damaged data, or more content than is read
 */
export async function* contentChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const kind = detectCompression(source.read(0, Math.min(8, source.size)));
  if (kind === "gzip") {
    yield* gunzipChunks(source);
  } else if (kind === "xz" || kind === "zstd") {
    try {
      yield* kind === "xz" ? unxzChunks(piecesOf(source, PIECE), MAX_OUTER_TAR) : unzstdChunks(source);
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      throw new FeedkeyError("bad_package", `${kind} data ${error.message}`, {
        details: { compression: kind, reason: error.obstacle },
        cause: error,
      });
    }
  } else if (kind === "bzip2") {
    throw new FeedkeyError("bad_package", "is compressed with bzip2, which can't be read", {
      details: { compression: kind, reason: "unsupported" },
      hint: "compress it with gzip, xz or zstd (in mk.conf: PKG_COMPRESSION)",
    });
  } else {
    throw damage("expected data compressed with gzip, xz or zstd, but it begins as neither");
  }
}

/** The decoder takes whole frames only; so the first blocks are decoded as a frame, then ever more of them. */
async function* unzstdChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  for (let look = FIRST_LOOK; look < source.size; look *= 8) {
    const head = zstdHead(source.read(0, look));
    if (head === undefined) continue;
    const content = await unzstd(head, MAX_ZSTD_AT_ONCE);
    // In small pieces: whoever reads ahead by one of them shall not have the next look taken in vain.
    yield* piecesOf(bytesSource(content.subarray(given)), PIECE);
    given = content.length;
  }
  yield (await unzstd(source.read(0, source.size), MAX_ZSTD_AT_ONCE)).subarray(given);
}
