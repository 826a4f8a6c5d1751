/** Which files make up a feed's index, how they are called, and what of them a signature covers. */
import { FeedkeyError } from "../error.ts";
import { type Compression, decompress } from "../package/compression.ts";
import type { Feed } from "../profile/types.ts";

/** An index larger than this is refused: no archive has one, and it would not fit into a small machine. */
export const maxIndexBytes = 512 * 1024 * 1024;
/** As it is downloaded. */
export const maxIndexFileBytes = 256 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;

const compressed = /\.(gz|xz|zst)$/;

/** Index files of a feed to ask for, the best first. */
export function indexNames(feed: Feed): string[] {
  if (feed.index !== undefined) return [feed.index];
  return ["Packages.gz", "Packages"];
}

/** opkg's signatures cover the uncompressed index, whichever form is downloaded. */
export function signatureNames(indexName: string): string[] {
  const plain = indexName.replace(compressed, "");
  return [`${plain}.sig`, `${plain}.asc`];
}

/** The other form of the same index. */
export function otherForm(indexName: string): string {
  return compressed.test(indexName) ? indexName.replace(compressed, "") : `${indexName}.gz`;
}

const kinds: Readonly<Record<string, Compression>> = { gz: "gzip", xz: "xz", zst: "zstd" };

/**
 * The bytes that the signature covers.
 * @param name its ending tells whether it is compressed
 * @throws FeedkeyError `bad_index` if it can't be decompressed within the limit
 */
export async function signedBytes(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const kind = kinds[compressed.exec(name)?.[1] ?? ""] ?? "none";
  try {
    return await decompress(bytes, kind, maxIndexBytes, "bad_index");
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    throw new FeedkeyError(cause.code, `index "${name}": ${cause.message}`, {
      details: { ...cause.details, index: name },
      hint: "it was damaged on the way, or is not what it claims to be; try another mirror",
      cause,
    });
  }
}
