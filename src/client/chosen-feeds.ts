/** Finds the feeds that the user chose. */

import { didYouMean } from "../did-you-mean.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Feed, Profile } from "../profile/types.ts";

/**
 * Returns the given feeds; if none is given, all feeds in the profile.
 * @throws FeedkeyError `usage` if the profile has no feed with one of these names
 */
export function chosenFeeds(profile: Profile, names: readonly string[]): readonly Feed[] {
  if (names.length === 0) return profile.feeds;
  return names.map((name) => {
    const feed = profile.feeds.find((one) => one.name === name);
    if (feed !== undefined) return feed;
    const known = profile.feeds.map((one) => one.name);
    throw new FeedkeyError("usage", `profile "${profile.name}" has no feed "${escapeText(name)}"`, {
      details: { feeds: known },
      hint: didYouMean(name, known, `the feeds of the profile are: ${known.join(", ") || "none"}`),
    });
  });
}
