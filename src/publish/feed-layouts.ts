import type { Format, SignatureFile } from "../formats/format.ts";
import { formatOf, maxIndexBytes, publishedSignatures } from "../formats/formats.ts";
import { decompress, detectCompression } from "../packages/compression/compression.ts";
import type { ArchiveFeed, PublishedFormat, SignedFeed, WrittenFeed } from "../profile/types.ts";
import type { FeedLayout, FileToSign, RootLayout, SignedFile } from "./feed-layout.ts";
import { aptFeed } from "./layouts/apt-feed.ts";
import { opkgFeed } from "./layouts/opkg-feed.ts";
import { pkgsrcFeed } from "./layouts/pkgsrc-feed.ts";

const layouts: Readonly<Record<PublishedFormat, FeedLayout>> = { opkg: opkgFeed, pkgsrc: pkgsrcFeed, apt: aptFeed };

/** How the index of this feed is written. */
export function layoutOf({ format }: Pick<WrittenFeed, "format">): FeedLayout {
  return layouts[format];
}

/**
 * Reads a root that another program wrote as clients will; one that is signed as it lies there is decompressed first.
 * @throws FeedkeyError `bad_index`
 */
export async function checkRoot({ signs, signing }: Format, file: Uint8Array): Promise<void> {
  const isText = signs === "text";
  await signing?.check(isText ? file : await decompress(file, detectCompression(file), maxIndexBytes, "bad_index"));
}

/** An index that another program writes: it is signed as it lies there, and nothing else is written. */
function signedAsItIs({ format, index }: SignedFeed): RootLayout {
  return {
    signed: index,
    textOf: async (signed) => signed,
    async count(text) {
      await checkRoot(formatOf(format), text);
      return undefined;
    },
    files: async ({ text }) => ({ signed: [{ name: index, bytes: text }], writes: [], removes: [] }),
  };
}

/** How the root of this feed lies in its folder. */
export function rootOf(feed: ArchiveFeed): RootLayout {
  return feed.packages === undefined ? signedAsItIs(feed) : layoutOf(feed);
}

function signaturesOf({ format, signatures }: ArchiveFeed, name: string): readonly SignatureFile[] {
  return publishedSignatures(name, formatOf(format).signing, signatures);
}

/** A file of this feed with the files that its signatures go to. */
export function toSign(feed: ArchiveFeed, { name, bytes }: SignedFile): FileToSign {
  return { name, bytes, signatures: signaturesOf(feed, name) };
}

/** The files of a feed that are always there: its root and the signatures of it. */
export function filesOf(feed: ArchiveFeed): readonly string[] {
  const { signed } = rootOf(feed);
  return [signed, ...signaturesOf(feed, signed).map(({ name }) => name)];
}
