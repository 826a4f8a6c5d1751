import { constants, gunzipSync } from "node:zlib";
import { systemCode } from "../../error.ts";
import { damaged, exceeds, trailing } from "./undecodable.ts";

/**
 * Maximum compressed size, in bytes, of a file that gets an output buffer of `SMALL_ROOM` bytes. Most control archives have the
 * smallest size that tar writes, 10 KiB. Node's default buffer of 16 KiB makes decompression slower.
 */
const SMALL = 4 * 1024;
const SMALL_ROOM = 12 * 1024;

/**
 * Decompresses a gzip file with one or more members (RFC 1952 section 2.2).
 * @throws Undecodable if the content exceeds `limit` bytes, if bytes follow the last member, or for damage
 */
export function gunzip(bytes: Uint8Array, limit: number): Uint8Array {
  const { buffer, engine } = inflate(bytes, limit);
  // If a zero byte follows a member, Node stops there without an error.
  if (engine.bytesWritten !== bytes.length) throw trailing();
  return buffer;
}

/**
 * Decompresses the first bytes of a gzip file. Does not check the rest of the file.
 * @returns undefined if the content exceeds `limit` bytes, or for damage
 */
export function gunzipHead(prefix: Uint8Array, limit: number): Buffer | undefined {
  try {
    return gunzipSync(prefix, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: limit });
  } catch (error) {
    const code = systemCode(error);
    if (code === "ERR_BUFFER_TOO_LARGE" || code?.startsWith("Z_")) return undefined;
    throw error;
  }
}

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function inflate(bytes: Uint8Array, limit: number): Inflated {
  try {
    // Node's types do not describe the result with `info`.
    return gunzipSync(bytes, {
      maxOutputLength: limit,
      info: true,
      ...(bytes.length <= SMALL ? { chunkSize: SMALL_ROOM } : {}),
    }) as unknown as Inflated;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ERR_BUFFER_TOO_LARGE") throw exceeds(limit);
    if (code?.startsWith("Z_")) throw damaged(error);
    throw error;
  }
}
