/** `feedkey update`: refresh what is known about keys, then download and verify the indexes. */
import { learnMore, refresh } from "../client/refresh.ts";
import { type FeedOutcome, updateFeeds } from "../client/update.ts";
import { FeedkeyError } from "../error.ts";
import type { Feed, Profile } from "../profile/types.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { signaturesJson, signedBy } from "./show.ts";

export interface UpdateOptions {
  readonly allowEmpty?: boolean;
  readonly resetState?: boolean;
}

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

function line(outcome: FeedOutcome): string[] {
  if (!outcome.ok) return [];
  const { feed, index, changed } = outcome;
  return [`${feed.name}: ${index.packages.count} packages, ${signedBy(index)}${changed ? "" : ", unchanged"}`];
}

function feedJson(outcome: FeedOutcome) {
  if (!outcome.ok) {
    const { code, message } = outcome.error;
    return { name: outcome.feed.name, ok: false, error: { code, message } };
  }
  const { feed, index, changed, source } = outcome;
  const entries = index.packages.count;
  return {
    name: feed.name,
    ok: true,
    changed,
    entries,
    sha256: index.sha256,
    source,
    signatures: signaturesJson(index),
  };
}

/** Updates the feeds; one that is refused does not stop the others. @throws FeedkeyError `usage`, and as `Context.withSession` */
export async function update(context: Context, names: readonly string[], options: UpdateOptions): Promise<Outcome> {
  const resetState = options.resetState === true;
  return await context.withSession({ resetState }, async (session) => {
    const feeds = chosenFeeds(session.profile, names);
    const allowEmpty = options.allowEmpty === true;
    let outcomes = await updateFeeds(session, await refresh(session), feeds, allowEmpty);
    const failed = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    const news = await learnMore(session, failed);
    if (news !== undefined) {
      const again = outcomes.filter(({ ok }) => !ok).map(({ feed }) => feed);
      outcomes = [...outcomes.filter(({ ok }) => ok), ...(await updateFeeds(session, news, again, allowEmpty))];
    }
    return {
      text: outcomes.flatMap(line).join("\n"),
      json: { profile: session.profile.name, feeds: outcomes.map(feedJson) },
      errors: outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error])),
    };
  });
}
