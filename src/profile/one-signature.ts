/** Feeds that the old and the new key can't both sign during a rotation. */
import { formatOf } from "../formats/formats.ts";
import type { ArchiveFeed } from "./types.ts";

/** Returns, for each such feed, what its users need before another key signs, in words. */
export function needsOfFeeds(feeds: readonly ArchiveFeed[]): string[] {
  return feeds.flatMap(({ name, format }) => {
    const { oneSignature } = formatOf(format);
    return oneSignature === undefined ? [] : [`for feed ${name}, which can have only one signature, ${oneSignature}`];
  });
}
