/** The names and size limits of a feed's index files, and the bytes that a signature covers. */
import { bytesOf, type Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { compressionOf, formOf, withoutForm } from "../formats/format.ts";
import { formatOf, maxIndexBytes, usualIndexBytes } from "../formats/formats.ts";
import { decompress, detectCompression } from "../packages/compression/compression.ts";
import type { Feed, FeedFormat } from "../profile/types.ts";

export { maxSignatureBytes, usualIndexBytes } from "../formats/formats.ts";

/**
 * How many times larger than the last accepted index a new index may be. If the signature covers the compressed file (a pkgsrc
 * summary), the stored size is only about a tenth of the size of the text.
 */
const growth = { text: 2, file: 16 } as const;

/**
 * Returns the size limit in bytes for an index that is not verified yet, compressed or decompressed.
 * @param last the feed's last accepted index
 */
export function indexLimit(feed: Feed, last: { readonly size: number } | undefined): number {
  const grown = growth[formatOf(feed.format).signs] * (last?.size ?? 0);
  const { maxRoot = maxIndexBytes } = formatOf(feed.format);
  return Math.min(maxRoot, feed.maxIndexSize ?? Math.max(usualIndexBytes, grown));
}

/** The hint for an index that is too large. */
export const largerIndexHint =
  "indexes are usually far smaller: ask the archive's keepers; if they confirm the size, set max-index-size in the feed's section of the profile";

/**
 * Returns the hint for a root that is too large. No setting of the profile can raise the limit of a format.
 * @param limit the limit that the root exceeds
 */
export function largerRootHint({ format }: Pick<Feed, "format">, limit: number): string {
  const { maxRoot } = formatOf(format);
  if (maxRoot === undefined || limit < maxRoot) return largerIndexHint;
  return "no client accepts a larger file: try another mirror; if the file is as large there, ask the archive's keepers to split the feed";
}

/**
 * Returns the names of the index files that the client requests for a feed, in order of preference.
 * @throws FeedkeyError `bad_profile` if feedkey can't read the index that the profile names
 */
export function indexNames(feed: Feed): readonly string[] {
  const { name, format, index } = feed;
  const { roots, forms } = formatOf(format);
  if (index === undefined || forms.includes("bz2") || !/\.bz2$/.test(index)) return roots(feed);
  throw new FeedkeyError(
    "bad_profile",
    `feed "${name}" has index = ${index}, but feedkey does not read bzip2 in feeds of the format ${format}`,
    {
      details: { feed: name, index },
      hint: `write index = ${index.replace(/bz2$/, "gz")}, or remove the line from the profile`,
    },
  );
}

/** Returns the name of the compressed form of an uncompressed index, or the reverse; undefined unless one signature covers both. */
export function otherForm(format: FeedFormat, indexName: string): string | undefined {
  const { signs, forms } = formatOf(format);
  if (signs === "file" || forms.length === 0) return undefined;
  const text = withoutForm(forms, indexName);
  return text === indexName ? `${indexName}.gz` : text;
}

/**
 * Returns the bytes that the signature of an index file covers: its decompressed text or the file itself, as the format says.
 * @param name the file name, whose extension tells how the file is compressed
 * @param limit the size limit of the decompressed text in bytes
 * @throws FeedkeyError `bad_index` if the file can't be decompressed within the limit
 */
export async function signedBytes(format: FeedFormat, name: string, file: Data, limit: number): Promise<Data> {
  const form = formOf(formatOf(format).forms, name);
  if (formatOf(format).signs === "file" || form === undefined) return file;
  try {
    return await decompress(bytesOf(file), compressionOf[form], limit, "bad_index");
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    const isTooLarge = cause.details.reason === "limits";
    throw new FeedkeyError(cause.code, `index "${name}": ${cause.message}`, {
      details: { ...cause.details, index: name },
      hint: isTooLarge
        ? largerIndexHint
        : "the file was damaged on the way, or is not compressed as its name says: try another mirror",
      cause,
    });
  }
}

/**
 * Returns the text of an index from the bytes that its signature covers. Callers must have verified the signature.
 * @throws FeedkeyError `bad_index` if the bytes can't be decompressed within the limit
 */
export async function indexText(format: FeedFormat, signed: Data, limit: number): Promise<Data> {
  if (formatOf(format).signs === "text") return signed;
  // The signature does not cover the file's name, so feedkey recognizes the compression by the bytes.
  const bytes = bytesOf(signed);
  return await decompress(bytes, detectCompression(bytes), limit, "bad_index");
}
