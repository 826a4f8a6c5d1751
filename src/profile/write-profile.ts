/** Writes a profile, for `profile init`. */
import { FeedkeyError } from "../error.ts";
import type { Duration } from "../time.ts";
import { errorsOf } from "./config-error.ts";
import { encodeValue } from "./ini.ts";
import { readProfile } from "./read-profile.ts";
import type { Feed, Profile } from "./types.ts";
import { readFeedName } from "./values.ts";

// The file does not exist yet, so errors use this name.
const newFile = "profile.ini";

/**
 * The values of a profile. `keyring`, `ca` and `keyserverCa` may be relative to the folder of the future profile; they are written
 * unchanged.
 */
export type ProfileValues = Pick<Profile, "archive" | "trust" | "feeds">;

/**
 * Returns the text of a profile with these values.
 * @throws FeedkeyError `bad_profile` if a value can't be written; `internal` if a length of time can't be written
 */
export function formatProfile(values: ProfileValues): string {
  const { archive, trust, feeds } = values;
  const text = [
    section("archive", {
      name: archive.name,
      url: archive.url,
      mirrors: archive.mirrors.length === 0 ? undefined : list(archive.mirrors),
      ca: archive.ca,
      credentials: archive.credentials,
      redirects: archive.redirects === "any" ? undefined : archive.redirects,
      "user-id": archive.identity.kind === "user-id" ? archive.identity.userId : undefined,
      "user-email": archive.identity.kind === "user-email" ? archive.identity.email : undefined,
      verify: archive.verify,
    }),
    section("trust", {
      keyring: trust.keyring,
      seeds: list(trust.seeds),
      keyservers: list(trust.keyservers) || "none",
      "keyserver-ca": trust.keyserverCa,
      wkd: yesNo(trust.wkd),
      "revocation-check": trust.revocationCheck === "always" ? "always" : formatDuration(trust.revocationCheck),
      grace: formatDuration(trust.grace),
      "retired-issuers": trust.retiredIssuers,
      threshold: String(trust.threshold),
      "max-index-age": trust.maxIndexAge === undefined ? undefined : formatDuration(trust.maxIndexAge),
      "require-feed-name": yesNo(trust.requireFeedName),
      "require-expiry": yesNo(trust.requireExpiry),
    }),
    ...feeds.map(formatFeed),
  ].join("\n");
  // Reading the text here finds values that the next command could not read.
  readProfile(text, newFile);
  return text;
}

/** Returns the section of a feed. */
export function formatFeed(feed: Feed): string {
  // feedkey puts other values into quotes where necessary, but a section's name can't be quoted.
  const name = readFeedName(feed.name, 1, errorsOf("bad_profile", newFile));
  return section(`feed ${name}`, {
    format: feed.format,
    path: feed.path === "" ? "." : feed.path,
    index: feed.index,
    packages: feed.packages === "archive" ? "/" : ".",
    "max-index-size": feed.maxIndexSize === undefined ? undefined : String(feed.maxIndexSize),
    suite: feed.suite,
    components: feed.components && list(feed.components),
    architectures: feed.architectures && list(feed.architectures),
  });
}

function section(name: string, keys: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(keys).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return value === "" ? `${key} =` : `${key} = ${encodeValue(value)}`;
  });
  return `${[`[${name}]`, ...lines].join("\n")}\n`;
}

function list(items: readonly string[]): string {
  const parted = items.find((item) => item.includes(","));
  if (parted === undefined) return items.join(", ");
  throw new FeedkeyError("bad_profile", `"${parted}" has a comma, which separates the values of a list in a profile`);
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

/** Returns a length of time in the form that `parseDuration` reads, with the largest possible unit. */
function formatDuration(length: Duration): string {
  if (length === 0) return "0";
  for (const [unit, letter] of [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1000, "s"],
  ] as const) {
    const count = length / unit;
    if (Number.isInteger(count) && count >= 1 && count < 1_000_000) return `${count}${letter}`;
  }
  throw new FeedkeyError("internal", `a length of ${length} ms cannot be written in a profile`);
}
