/**
 * Reads an object store's list of the objects in a bucket (ListObjectsV2). feedkey does not trust the list: it only finds out
 * which files it need not upload again.
 */

/** An object, as the list describes it. */
export interface Stored {
  /** The object's ETag, without quotes. */
  readonly etag: string;
  /** The object's size in bytes. */
  readonly size: number;
}

export interface Listing {
  readonly objects: readonly (readonly [string, Stored])[];
  /** The token with which to request the next page; undefined on the last page. */
  readonly next: string | undefined;
}

const entities = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

function plain(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (all, decimal, hex, name) => {
    const point = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (point === undefined) return entities.get(name) ?? all;
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`, start);
  return start < 0 || end < 0 ? undefined : plain(xml.slice(start + name.length + 2, end));
}

function decoded(text: string): string {
  try {
    // Amazon writes a space as "+".
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return text;
  }
}

/** Reads one page of the list. Decodes names if the server says that it URL-encoded them, because XML can't contain every name. */
export function readListing(xml: string): Listing {
  const isEncoded = element(xml, "EncodingType") === "url";
  const objects = xml
    .split("<Contents>")
    .slice(1)
    .map((entry) => {
      const key = element(entry, "Key") ?? "";
      const etag = (element(entry, "ETag") ?? "").replaceAll('"', "");
      return [isEncoded ? decoded(key) : key, { etag, size: Number(element(entry, "Size")) }] as const;
    });
  const isMore = element(xml, "IsTruncated") === "true";
  return { objects, next: isMore ? element(xml, "NextContinuationToken") : undefined };
}
