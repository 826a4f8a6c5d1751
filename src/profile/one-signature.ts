/** Finds the feeds that the old and the new key can't both sign during a rotation, because clients accept only one signature. */
import { formatOf } from "../formats/formats.ts";
import type { ArchiveFeed } from "./types.ts";

/** Returns, for each such feed, a sentence that says what the feed's users need before another key may sign. */
export function needsOfFeeds(feeds: readonly ArchiveFeed[]): string[] {
  return feeds.flatMap(({ name, format }) => {
    const { oneSignature } = formatOf(format);
    return oneSignature === undefined ? [] : [`for feed ${name}, which can have only one signature, ${oneSignature}`];
  });
}
