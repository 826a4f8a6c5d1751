/**
 * Runs `feedkey status --config`: shows keepers and monitoring programs which keys and delegations of an archive end soon. Asks
 * no server.
 */
import { FeedkeyError } from "../../error.ts";
import type { EndAhead, Follower } from "../../index.ts";
import { usualWarning } from "../../keeper/words.ts";
import { iso, roughly } from "../../time.ts";
import { prometheus } from "../client/metrics.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { keeperOf, type WarnOptions, warningTime } from "./archive-terms.ts";

export interface ArchiveStatusOptions extends WarnOptions {
  readonly config?: string;
  readonly prometheus?: boolean;
}

/** Keeps only the earliest end for each key and kind of end, because a metric has one value. */
function firstEnds(ends: readonly EndAhead[]): EndAhead[] {
  const found = new Map<string, EndAhead>();
  for (const end of ends) {
    const name = `${end.kind} ${end.key}`;
    const other = found.get(name);
    if (other === undefined || end.endsAt < other.endsAt) found.set(name, end);
  }
  return [...found.values()];
}

/** Returns lines with the keys that each stock client must know. Clients that need the same keys share a line. */
function followerLines(followers: readonly Follower[]): string[] {
  const clients = new Map<string, string[]>();
  for (const { feed, client, needs, keys } of followers) {
    const said = keys.length === 0 ? "they refuse the feed" : keys.join(needs === "any" ? " or " : " and ");
    const row = JSON.stringify([feed, said]);
    clients.set(row, [...(clients.get(row) ?? []), client]);
  }
  if (clients.size === 0) return [];
  const rows = [...clients].map(([row, names]) => {
    const [feed = "", said = ""] = JSON.parse(row) as string[];
    return [feed, names.join(", "), said];
  });
  return [table(["feed", "stock clients", "accept the feed with the key"], rows)];
}

/**
 * Shows which keys and delegations end within the given time. If a key or delegation does, the outcome contains an error, so
 * that the exit status is 1.
 * @throws FeedkeyError `usage`, `not_found`, `bad_config`; `expired`, `revoked`... if clients refuse the archive's key
 */
export async function archiveStatus(context: Context, options: ArchiveStatusOptions): Promise<Outcome> {
  if (options.config === undefined) {
    throw new FeedkeyError("usage", "--warn-within needs --config", {
      hint: "give the archive with --config archive.ini",
    });
  }
  if (context.options.profile !== undefined) {
    throw new FeedkeyError("usage", "--profile is for a client's status and --config for an archive's", {
      hint: "give only one of these options",
    });
  }
  const asked = warningTime(options);
  const warnWithin = asked ?? usualWarning;
  const keeper = await keeperOf(context, options);
  const { ends } = await keeper.endsAhead({ warnWithin: asked });
  const { fingerprint } = (await keeper.archive()).config.key;
  const followers = await keeper.followers();
  const json = {
    key: fingerprint,
    warnWithin: warnWithin / 1000,
    ends: ends.map(({ kind, key, endsAt }) => ({ kind, key, endsAt: iso(endsAt) })),
    followers,
  };
  if (options.prometheus === true) {
    const text = prometheus([
      {
        name: "archive_ends",
        help: "How many keys, delegations and algorithms of the archive end within the given time.",
        samples: [{ labels: { key: fingerprint }, value: ends.length }],
      },
      {
        name: "archive_end_timestamp_seconds",
        help: "When the key, delegation or algorithm ends.",
        samples: firstEnds(ends).map(({ kind, key, endsAt }) => ({ labels: { kind, key }, value: endsAt / 1000 })),
      },
    ]);
    // The metrics show what ends soon, and exit status 1 would keep a script from exporting the metrics.
    return { text, quiet: text, json };
  }
  const [first] = ends;
  const span = asked === undefined ? `${roughly(warnWithin)}, or a year for an algorithm` : roughly(warnWithin);
  if (first === undefined)
    return { text: [`no key or delegation ends within ${span}`, ...followerLines(followers)].join("\n\n"), json };
  const count =
    ends.length === 1 ? "one deadline of the archive falls" : `${ends.length} deadlines of the archive fall`;
  const error = new FeedkeyError("ends_soon", `${count} within ${span}`, {
    details: { first: iso(first.endsAt), count: ends.length },
    hint: "the warnings say what to do about each deadline",
  });
  return { text: followerLines(followers).join("\n"), json, errors: [error] };
}
