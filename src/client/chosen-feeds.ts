/** Which feeds of a profile are meant. */
import { FeedkeyError } from "../error.ts";
import type { Feed, Profile } from "../profile/types.ts";

/** The feeds named, or all of the profile. @throws FeedkeyError `usage` */
export function chosenFeeds(profile: Profile, names: readonly string[]): readonly Feed[] {
  if (names.length === 0) return profile.feeds;
  return names.map((name) => {
    const feed = profile.feeds.find((one) => one.name === name);
    if (feed !== undefined) return feed;
    throw new FeedkeyError("usage", `profile "${profile.name}" has no feed "${name}"`, {
      hint: `it has: ${profile.feeds.map((one) => one.name).join(", ")}`,
    });
  });
}
