import type { SignatureFile } from "../formats/format.ts";
import { formatOf, publishedSignatures } from "../formats/formats.ts";
import type { ArchiveFeed, PublishedFormat, SignedFeed, WrittenFeed } from "../profile/types.ts";
import type { FeedLayout, FileToSign, RootLayout, SignedFile } from "./feed-layout.ts";
import { aptFeed } from "./layouts/apt-feed.ts";
import { opkgFeed } from "./layouts/opkg-feed.ts";
import { pkgsrcFeed } from "./layouts/pkgsrc-feed.ts";

const layouts: Readonly<Record<PublishedFormat, FeedLayout>> = { opkg: opkgFeed, pkgsrc: pkgsrcFeed, apt: aptFeed };

/** Returns the layout with which feedkey writes this feed's index. */
export function layoutOf({ format }: Pick<WrittenFeed, "format">): FeedLayout {
  return layouts[format];
}

/** Returns the layout for an index that another program writes. feedkey signs the index unchanged, and writes no other file. */
function signedAsItIs({ index }: SignedFeed): RootLayout {
  return {
    signed: index,
    textsOf: async () => new Map(),
  };
}

/** Returns the layout that describes where a feed's root is in the feed's folder. */
export function rootOf(feed: ArchiveFeed): RootLayout {
  return feed.packages === undefined ? signedAsItIs(feed) : layoutOf(feed);
}

/** Returns the signature files for a file in this feed. */
export function signaturesOf({ format, signatures }: ArchiveFeed, name: string): readonly SignatureFile[] {
  return publishedSignatures(name, formatOf(format).signing, signatures);
}

/** Returns a file in this feed together with its signature files. */
export function toSign(feed: ArchiveFeed, { name, document }: SignedFile): FileToSign {
  return { name, document, signatures: signaturesOf(feed, name) };
}

/** Returns the names of the files that a published feed always has: the root and the root's signature files. */
export function filesOf(feed: ArchiveFeed): readonly string[] {
  const { signed } = rootOf(feed);
  return [signed, ...signaturesOf(feed, signed).map(({ name }) => name)];
}
