/** Reads an object store's list of a bucket (ListObjectsV2). The list is not trusted: it only shows what need not be uploaded. */

/** A listed object. */
export interface Stored {
  /** The ETag without quotes. */
  readonly etag: string;
  /** The size in bytes. */
  readonly size: number;
}

export interface Listing {
  readonly objects: readonly (readonly [string, Stored])[];
  /** Where the next page begins; undefined on the last one. */
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

/** Reads one page. Names are URL-encoded if the server says so, because XML can't contain every name. */
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
