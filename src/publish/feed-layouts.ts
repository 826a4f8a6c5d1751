import type { SignatureFile } from "../formats/format.ts";
import { formatOf, publishedSignatures } from "../formats/formats.ts";
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

/** An index that another program writes: it is signed as it is, and nothing else is written. */
function signedAsItIs({ index }: SignedFeed): RootLayout {
  return {
    signed: index,
    textsOf: async () => new Map(),
  };
}

/** Where the root of this feed is in its folder. */
export function rootOf(feed: ArchiveFeed): RootLayout {
  return feed.packages === undefined ? signedAsItIs(feed) : layoutOf(feed);
}

/** The files that the signatures of a file of this feed go to. */
export function signaturesOf({ format, signatures }: ArchiveFeed, name: string): readonly SignatureFile[] {
  return publishedSignatures(name, formatOf(format).signing, signatures);
}

/** A file of this feed with the files that its signatures go to. */
export function toSign(feed: ArchiveFeed, { name, document }: SignedFile): FileToSign {
  return { name, document, signatures: signaturesOf(feed, name) };
}

/** The files that a feed always has: its root and the root's signatures. */
export function filesOf(feed: ArchiveFeed): readonly string[] {
  const { signed } = rootOf(feed);
  return [signed, ...signaturesOf(feed, signed).map(({ name }) => name)];
}
