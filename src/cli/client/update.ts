/** Runs `feedkey update`: asks servers for news of keys, then downloads and verifies the indexes. */

import type { FeedOutcome } from "../../client/update.ts";
import type { UpdateOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { signaturesJson, signedBy } from "./show.ts";

function line(outcome: FeedOutcome): string[] {
  if (!outcome.ok) return [];
  const { feed, index, changed } = outcome;
  return [`${feed.name}: ${counted(index.count, "package")}, ${signedBy(index)}${changed ? "" : ", unchanged"}`];
}

function feedJson(outcome: FeedOutcome) {
  if (!outcome.ok) {
    const { code, message } = outcome.error;
    return { name: outcome.feed.name, ok: false, error: { code, message } };
  }
  const { feed, index, changed, source } = outcome;
  const entries = index.count;
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

/**
 * Updates the feeds. If feedkey refuses a feed's index, it still updates the other feeds.
 * @throws FeedkeyError `usage`, and as `Context.withClient`
 */
export async function update(
  context: Context,
  names: readonly string[],
  options: Omit<UpdateOptions, "feeds">,
): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { feeds, errors } = await client.update({ ...options, feeds: names, partial: true });
    return {
      text: feeds.flatMap(line).join("\n"),
      json: { profile: client.profile.name, feeds: feeds.map(feedJson) },
      errors,
    };
  });
}
