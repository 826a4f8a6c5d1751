import { type ErrorCode, FeedkeyError } from "../../error.ts";
import type { Compression } from "../../formats/format.ts";
import { decoders } from "./decoders.ts";
import { Undecodable } from "./undecodable.ts";

export type { Compression } from "../../formats/format.ts";

const magics: readonly [Compression, readonly number[]][] = [
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** Detects the compression by the first bytes (RFC 1952, the .xz format, RFC 8878, bzip2's manual). Returns `none` for other bytes. */
export function detectCompression(bytes: Uint8Array): Compression {
  const found = magics.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte));
  return found?.[0] ?? "none";
}

/** Whether `decompress` supports a compression in this build. */
export function canDecompress(kind: Compression): boolean {
  return kind === "none" || decoders[kind] !== undefined;
}

/**
 * Decompresses bytes to at most `limit` bytes. Verifies the format's checksums, and refuses bytes after the end. The memory in use
 * grows with the content, and exceeds the limit by at most the decoder's window.
 * @param code the error code to throw: `bad_package`, or `bad_index` for an index
 * @throws FeedkeyError with that code; `details.reason` is `limits`, `trailing`, `damaged` or `unreadable`
 */
export async function decompress(
  bytes: Uint8Array,
  kind: Compression,
  limit: number,
  code: ErrorCode = "bad_package",
): Promise<Uint8Array> {
  try {
    return await decode(bytes, kind, limit);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    throw new FeedkeyError(code, `${kind === "none" ? "uncompressed" : kind} data ${error.message}`, {
      details: { compression: kind, reason: error.obstacle },
      cause: error,
    });
  }
}

async function decode(bytes: Uint8Array, kind: Compression, limit: number): Promise<Uint8Array> {
  const decoder = kind === "none" ? (same: Uint8Array) => same : decoders[kind];
  if (decoder === undefined) throw new Undecodable("unreadable", "can't be decompressed by this program");
  // An empty list has the limit 0, but Node's decoders do not accept this limit.
  const content = await decoder(bytes, Math.max(limit, 1));
  if (content.length > limit) throw new Undecodable("limits", `contains more than ${limit} bytes, the limit`);
  return content;
}
