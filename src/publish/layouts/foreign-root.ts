/**
 * Checks an index that another program wrote, and the package lists that the index names. The checks are the same as in clients. feedkey
 * runs them before it signs the index.
 */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Format, Part } from "../../formats/format.ts";
import { formatOf, maxIndexBytes } from "../../formats/formats.ts";
import type { PackageIndex } from "../../formats/package-index.ts";
import { decompress, detectCompression } from "../../packages/compression/compression.ts";
import { partText } from "../../packages/part-text.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import type { Instant } from "../../time.ts";
import { refuseContent } from "../../trust/freshness.ts";

/**
 * Reads a package list.
 * @param place the path below the root's folder
 * @returns undefined if the file does not exist
 */
export type ListReader = (place: string) => Promise<Uint8Array | undefined>;

interface ForeignRoot {
  readonly format: Format;
  readonly bytes: Uint8Array;
  /** The root's name in messages. */
  readonly what: string;
  /** The feed of the root, if known. Clients request the suite in the feed's path. */
  readonly feed: Pick<ArchiveFeed, "name" | "path"> | undefined;
  readonly list: ListReader;
  readonly at: Instant;
  /** The hint for the error about a root that clients would refuse. */
  readonly hint: string;
}

/**
 * Reads a root like a client, and each package list that clients may request.
 * @returns the number of packages in the lists
 * @throws FeedkeyError `bad_index`, `wrong_feed` or `not_yet_valid` if clients would refuse the root; `not_found` if a list is missing
 */
export async function readForeignRoot(root: ForeignRoot): Promise<number> {
  const { format, bytes, feed, what, hint } = root;
  try {
    const isText = format.signs === "text";
    const text = isText ? bytes : await decompress(bytes, detectCompression(bytes), maxIndexBytes, "bad_index");
    if (format.content === undefined) return format.read(text).count;
    const suite = feed && format.feedAt?.(feed.path).suite;
    const content = format.content(text, { index: undefined, ...(suite === undefined ? {} : { suite }) });
    // feedkey signs even a root whose validity period has ended, but warns the keepers.
    const refused = refuseContent({ ...content, validUntil: undefined }, undefined, root.at);
    if (refused !== undefined) throw new FeedkeyError(refused.code, refused.reason);
    return await readLists(content.parts, root);
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    const code = cause.code === "unavailable" ? "not_found" : cause.code;
    const details = feed === undefined ? cause.details : { ...cause.details, feed: feed.name };
    throw new FeedkeyError(code, `clients would refuse ${what}: ${cause.message}`, { details, hint, cause });
  }
}

async function readLists(parts: readonly Part[], { format, list }: ForeignRoot): Promise<number> {
  const terms = { feed: undefined, root: "the index", limit: maxIndexBytes };
  const seen = new Map<string, { readonly digests: string; readonly path: string }>();
  for (const part of parts) {
    const packages = readList(format, part, await partText(part, terms, list));
    if (parts.length === 1) return packages.count;
    for (const entry of packages) {
      const { name, version, architecture, sha256 = "", otherDigest = "" } = entry;
      const key = `${name} ${version} ${architecture}`;
      const digests = `${sha256} ${otherDigest}`;
      const earlier = seen.get(key);
      if (earlier !== undefined && earlier.digests !== digests) {
        const problem = `${part.path} lists ${key} with different digests from ${earlier.path}`;
        throw new FeedkeyError("bad_index", escapeText(problem), { details: { part: part.path } });
      }
      seen.set(key, { digests, path: part.path });
    }
  }
  return seen.size;
}

function readList(format: Format, { path }: Part, text: Uint8Array): PackageIndex {
  try {
    return format.read(text);
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    throw new FeedkeyError(cause.code, `${escapeText(path)}: ${cause.message}`, {
      details: { ...cause.details, part: path },
      cause,
    });
  }
}

/** Reads the root of a published feed, like `readForeignRoot`. */
export async function readPublishedRoot(
  feed: ArchiveFeed,
  bytes: Uint8Array,
  folder: FolderView,
  at: Instant,
): Promise<number> {
  return await readForeignRoot({
    ...{ format: formatOf(feed.format), bytes, feed, at, list: (place) => folder.readOnce(place) },
    what: `the index of feed "${feed.name}"`,
    hint: "run the program that wrote the index again; until then, feedkey keeps the old signatures",
  });
}
