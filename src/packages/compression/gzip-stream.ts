import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FeedkeyError, systemCode } from "../../error.ts";
import { damage } from "../damage.ts";
import { MAX_OUTER_TAR } from "../limits.ts";
import { type ByteSource, piecesOf } from "../source.ts";
import { gunzipHead } from "./gzip.ts";

const PIECE = 64 * 1024;
/** Maximum decompressed size of the first piece, in bytes. */
const MAX_HEAD = 4 * 1024 * 1024;

/**
 * Yields a gzip file's content, piece by piece, until the reader stops. Makes the first piece, which is usually enough, without a
 * stream, because a stream is slow to set up.
 * @throws FeedkeyError `bad_package` if the data is damaged, or if the content exceeds the size limit
 */
export async function* gunzipChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const head = gunzipHead(source.read(0, Math.min(PIECE, source.size)), MAX_HEAD);
  if (head !== undefined) yield head;
  let given = head?.length ?? 0;
  for await (const chunk of streamed(source)) {
    const fresh = chunk.subarray(given);
    given -= chunk.length - fresh.length;
    if (fresh.length > 0) yield fresh;
  }
}

async function* streamed(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = Readable.from(piecesOf(source, PIECE), { objectMode: false });
  const gunzip = pieces.pipe(createGunzip({ chunkSize: PIECE }));
  pieces.on("error", (error) => gunzip.destroy(error));
  let total = 0;
  try {
    for await (const chunk of gunzip) {
      total += chunk.length;
      if (total > MAX_OUTER_TAR) {
        throw damage(`gzip data decompresses to more than ${MAX_OUTER_TAR} bytes, the limit`, {
          reason: "limits",
        });
      }
      yield chunk;
    }
  } catch (error) {
    if (!systemCode(error)?.startsWith("Z_")) throw error;
    throw new FeedkeyError("bad_package", "gzip data is damaged or ends early", { cause: error });
  } finally {
    pieces.destroy();
    gunzip.destroy();
  }
}
