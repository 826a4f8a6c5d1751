/** Which files make up a feed's index, how they are called, and what of them a signature covers. */
import { FeedkeyError } from "../error.ts";
import { readPackages } from "../index-format/opkg.ts";
import type { PackageIndex } from "../index-format/package-index.ts";
import { readSummaryPackages } from "../index-format/pkgsrc.ts";
import { type Compression, decompress, detectCompression } from "../package/compression.ts";
import { type Feed, type FeedFormat, maxIndexBytes } from "../profile/types.ts";

/** Bytes of an index that are taken where nothing speaks for more: half as many again as Debian's largest have. */
export const usualIndexBytes = 96 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;

/** How many times the size of the last accepted one an index may have. A summary is kept compressed, to about a tenth. */
const growth: Readonly<Record<FeedFormat, number>> = { opkg: 2, pkgsrc: 16 };

/**
 * Bytes that an index may have, as a file and as what it decompresses to: nobody has vouched for it when they are read.
 * @param last the feed's last accepted index, which a rightful signer vouched for
 */
export function indexLimit(feed: Feed, last: { readonly size: number } | undefined): number {
  const grown = growth[feed.format] * (last?.size ?? 0);
  return feed.maxIndexSize ?? Math.min(maxIndexBytes, Math.max(usualIndexBytes, grown));
}

/** What to do about an index that is too large. */
export const largerIndexHint =
  "no index should be that large; if the archive's keepers say that it is, write max-index-size into the feed's section of the profile";

const compressed = /\.(gz|xz|zst)$/;

const usual: Readonly<Record<FeedFormat, readonly string[]>> = {
  opkg: ["Packages.gz", "Packages"],
  pkgsrc: ["pkg_summary.gz"],
};

/**
 * Index files of a feed to ask for, the best first. pkgsrc's `pkg_summary.gz` is always there: other forms are asked
 * for only where the profile names one.
 * @throws FeedkeyError `bad_profile` for one that can't be read here
 */
export function indexNames({ name, format, index }: Feed): readonly string[] {
  if (index === undefined) return usual[format];
  // opkg's is decompressed before its signature can be verified: a small .bz2 that means harm would take a minute.
  if (format === "pkgsrc" || !/\.bz2$/.test(index)) return [index];
  throw new FeedkeyError("bad_profile", `feed "${name}" has index = ${index}, and bzip2 is not read for opkg`, {
    details: { feed: name, index },
    hint: `write index = ${index.replace(/bz2$/, "gz")}, or leave the line out`,
  });
}

/**
 * opkg's signatures cover the uncompressed index, whichever form is downloaded; pkgsrc's the file as it lies there,
 * so that nothing unverified is ever decompressed.
 */
export function signatureNames(format: FeedFormat, indexName: string): string[] {
  const signed = format === "opkg" ? indexName.replace(compressed, "") : indexName;
  return [`${signed}.sig`, `${signed}.asc`];
}

/** The other form that opkg's signature covers too; pkgsrc has none. */
export function otherForm(format: FeedFormat, indexName: string): string | undefined {
  if (format !== "opkg") return undefined;
  return compressed.test(indexName) ? indexName.replace(compressed, "") : `${indexName}.gz`;
}

const kinds: Readonly<Record<string, Compression>> = { gz: "gzip", xz: "xz", zst: "zstd" };

/**
 * The bytes that the signature covers.
 * @param name its ending tells whether it is compressed
 * @param limit in bytes
 * @throws FeedkeyError `bad_index` if it can't be decompressed within the limit
 */
export async function signedBytes(
  format: FeedFormat,
  name: string,
  bytes: Uint8Array,
  limit: number,
): Promise<Uint8Array> {
  if (format !== "opkg") return bytes;
  const kind = kinds[compressed.exec(name)?.[1] ?? ""] ?? "none";
  try {
    return await decompress(bytes, kind, limit, "bad_index");
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    const isTooLarge = cause.details.reason === "limits";
    throw new FeedkeyError(cause.code, `index "${name}": ${cause.message}`, {
      details: { ...cause.details, index: name },
      hint: isTooLarge
        ? largerIndexHint
        : "it was damaged on the way, or is not what it claims to be; try another mirror",
      cause,
    });
  }
}

/**
 * The packages of signed bytes. Only for bytes whose signature was found good.
 * @param limit in bytes, for what they decompress to
 * @throws FeedkeyError `bad_index`
 */
export async function readIndex(format: FeedFormat, signed: Uint8Array, limit: number): Promise<PackageIndex> {
  return format === "opkg" ? readPackages(signed) : readSummaryPackages(await indexText(format, signed, limit));
}

/**
 * The text of signed bytes. Only for bytes whose signature was found good.
 * @throws FeedkeyError `bad_index`
 */
export async function indexText(format: FeedFormat, signed: Uint8Array, limit: number): Promise<Uint8Array> {
  if (format === "opkg") return signed;
  // The signer vouches for the bytes, not for the file's name: what they are, they say themselves.
  return await decompress(signed, detectCompression(signed), limit, "bad_index");
}
