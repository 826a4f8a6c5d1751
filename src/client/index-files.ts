/** The files of a feed's index, their names, and the bytes that a signature covers. */
import { FeedkeyError } from "../error.ts";
import { compressionOf, formOf, withoutForm } from "../formats/format.ts";
import { formatOf, maxIndexBytes, usualIndexBytes } from "../formats/formats.ts";
import { decompress, detectCompression } from "../packages/compression/compression.ts";
import type { Feed, FeedFormat } from "../profile/types.ts";

export { maxSignatureBytes, usualIndexBytes } from "../formats/formats.ts";

/**
 * How many times larger than the last accepted index an index may be. A summary is stored compressed, to about a tenth of its
 * size.
 */
const growth = { text: 2, file: 16 } as const;

/**
 * Returns the size limit of an index in bytes, compressed and decompressed, before the index is verified.
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
 * Returns the hint for a root that is too large; no setting raises the limit if the root's format has a limit of its own.
 * @param limit the limit that the root exceeds
 */
export function largerRootHint({ format }: Pick<Feed, "format">, limit: number): string {
  const { maxRoot } = formatOf(format);
  if (maxRoot === undefined || limit < maxRoot) return largerIndexHint;
  return "no client accepts a larger one: try another mirror; if the file is as large there, ask the archive's keepers to split the feed";
}

/**
 * Returns the names of a feed's index files to request, the best first.
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

/** Returns the name of the other form that the same signature also covers; undefined if there is no other form. */
export function otherForm(format: FeedFormat, indexName: string): string | undefined {
  const { signs, forms } = formatOf(format);
  if (signs === "file" || forms.length === 0) return undefined;
  const text = withoutForm(forms, indexName);
  return text === indexName ? `${indexName}.gz` : text;
}

/**
 * Returns the bytes that the signature covers.
 * @param name the file name, whose extension tells whether the file is compressed
 * @param limit size limit in bytes
 * @throws FeedkeyError `bad_index` if the file can't be decompressed within the limit
 */
export async function signedBytes(
  format: FeedFormat,
  name: string,
  bytes: Uint8Array,
  limit: number,
): Promise<Uint8Array> {
  if (formatOf(format).signs === "file") return bytes;
  const form = formOf(formatOf(format).forms, name);
  const kind = form === undefined ? "none" : compressionOf[form];
  try {
    return await decompress(bytes, kind, limit, "bad_index");
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
 * Returns the text of signed bytes. Only for bytes whose signature is good.
 * @throws FeedkeyError `bad_index` if the bytes can't be decompressed within the limit
 */
export async function indexText(format: FeedFormat, signed: Uint8Array, limit: number): Promise<Uint8Array> {
  if (formatOf(format).signs === "text") return signed;
  // The signature covers the bytes, not the file's name, so the bytes tell the compression.
  return await decompress(signed, detectCompression(signed), limit, "bad_index");
}
