/** `feedkey status`: what this client has, how old it is, and what will break when. Asks no server. */
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { shownPath } from "./show.ts";

/** Shows the state and warns of what will break. @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state` */
export async function status(context: Context): Promise<Outcome> {
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
    return { text: text.join("\n"), json: { profile: client.profile.name, feeds, keys: shown } };
  });
}
