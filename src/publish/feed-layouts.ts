import type { ArchiveFeed, PublishedFormat } from "../profile/types.ts";
import type { FeedLayout } from "./feed-layout.ts";
import { opkgFeed } from "./opkg-feed.ts";
import { pkgsrcFeed } from "./pkgsrc-feed.ts";

const layouts: Readonly<Record<PublishedFormat, FeedLayout>> = { opkg: opkgFeed, pkgsrc: pkgsrcFeed };

/** How this feed is published. */
export function layoutOf({ format }: Pick<ArchiveFeed, "format">): FeedLayout {
  return layouts[format];
}
