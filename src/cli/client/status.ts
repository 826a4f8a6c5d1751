/**
 * Runs `feedkey status`: shows which keys and indexes this client has, how old these keys and indexes are, and what will expire
 * and when. Asks no server.
 */
import type { ClientStatus } from "../../index.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { type Metric, prometheus, seconds } from "./metrics.ts";
import { shownPath } from "./show.ts";

function metricsOf(profile: string, feeds: ClientStatus["feeds"], keys: ClientStatus["keys"]): string {
  const ofFeeds = (
    name: string,
    help: string,
    value: (feed: ClientStatus["feeds"][number]) => number | null,
  ): Metric => {
    return { name, help, samples: feeds.map((feed) => ({ labels: { profile, feed: feed.name }, value: value(feed) })) };
  };
  const ofKeys = (name: string, help: string, value: (key: ClientStatus["keys"][number]) => number | null): Metric => {
    const samples = keys.map((key) => {
      const { fingerprint, role } = key;
      return { labels: { profile, fingerprint, role }, value: value(key) };
    });
    return { name, help, samples };
  };
  return prometheus([
    ofFeeds("feed_accepted", "Whether this client has ever accepted an index of the feed.", ({ signedAt }) =>
      Number(signedAt !== null),
    ),
    ofFeeds("feed_signed_timestamp_seconds", "When the feed's last accepted index was signed.", (one) =>
      seconds(one.signedAt),
    ),
    ofFeeds("feed_expires_timestamp_seconds", "When the signature of the feed's last accepted index expires.", (one) =>
      seconds(one.expiresAt),
    ),
    ofFeeds(
      "feed_breaks_timestamp_seconds",
      "When the signers of the feed's last accepted index may no longer sign.",
      (one) => seconds(one.breaksAt),
    ),
    ofFeeds("feed_packages", "Number of packages in the feed's last accepted index.", ({ entries }) => entries),
    ofKeys("key_until_timestamp_seconds", "Until when a trusted key may sign.", ({ until }) => seconds(until)),
    ofKeys("key_checked_timestamp_seconds", "When a key server last answered about a trusted key.", (one) =>
      seconds(one.lastCheckAt),
    ),
  ]);
}

/**
 * Shows the client's feeds and keys, and warns about everything that will expire soon.
 * @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state`
 */
export async function status(context: Context, options: { readonly prometheus?: boolean }): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { feeds, keys } = await client.status();
    const feedRows = feeds.map((feed) => {
      return [
        feed.name,
        feed.signedAt ?? "never",
        feed.expiresAt ?? "-",
        String(feed.entries ?? "-"),
        feed.signers.join(", ") || "-",
      ];
    });
    const keyRows = keys.map(({ fingerprint, role, until, lastCheckAt, state }) => {
      return [fingerprint, role, until ?? "never", lastCheckAt ?? "never", state];
    });
    const text = [
      table(["feed", "signed", "expires", "packages", "signed by"], feedRows),
      "",
      table(["key", "role", "until", "last check", "today"], keyRows),
    ];
    const shown = keys.map(({ until: _, delegations, ...key }) => {
      return { ...key, delegations: delegations.map(({ via, ...rest }) => ({ via: shownPath(via), ...rest })) };
    });
    const { name: profile } = client.profile;
    const json = { profile, feeds, keys: shown };
    if (options.prometheus !== true) return { text: text.join("\n"), json };
    const metrics = metricsOf(profile, feeds, keys);
    return { text: metrics, quiet: metrics, json };
  });
}
