/** Runs `feedkey profile list|show|check|add-seed`. */
import { addSeeds } from "../../client/profiles/add-seed.ts";
import { checkProfile, listProfiles, showProfile } from "../../client/profiles/profiles.ts";
import { escapeText } from "../../escape.ts";
import type { Profile } from "../../index.ts";
import { roughly } from "../../time.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";

/** Lists every profile on the search path. If several profiles have the same name, lists only the first, which commands use. */
export async function list(_context: Context): Promise<Outcome> {
  const found = await listProfiles();
  const rows = found.map(({ name, file, profile, error }) => {
    const seeds = profile === undefined ? (error?.code ?? "") : String(profile.trust.seeds.length);
    return [name, escapeText(profile?.archive.name ?? "(unreadable)"), seeds, escapeText(file)];
  });
  const json = found.map(({ name, file, profile, error }) => {
    return {
      name,
      file,
      archive: profile?.archive.name ?? null,
      seeds: profile?.trust.seeds ?? [],
      error: error?.code ?? null,
    };
  });
  return { text: table(["profile", "archive", "seeds", "file"], rows), json: { profiles: json } };
}

async function named(context: Context, name: string | undefined): Promise<Profile> {
  return name === undefined ? await context.profile() : await showProfile(name);
}

function identityText({ identity }: Profile["archive"]): string {
  return identity.kind === "user-id" ? identity.userId : `<${identity.email}>`;
}

/**
 * Shows the settings in a profile, including the defaults of settings that the profile omits.
 * @throws FeedkeyError `usage`, `not_found`, `bad_profile`
 */
export async function show(context: Context, name: string | undefined): Promise<Outcome> {
  const profile = await named(context, name);
  const { archive, trust } = profile;
  const check = trust.revocationCheck === "always" ? "always" : `every ${roughly(trust.revocationCheck)}`;
  const rows = [
    ["archive", archive.name],
    ["url", [archive.url, ...archive.mirrors].join(", ")],
    ["keys named", identityText(archive)],
    ["keyring", trust.keyring],
    ["seeds", trust.seeds.join(", ") || "none: this profile can't be used yet"],
    ["key servers", trust.keyservers.join(", ") || "none: revocations come from the archive's bundle alone"],
    ["revocation check", `${check}, grace ${roughly(trust.grace)}`],
    ["signers needed", String(trust.threshold)],
    [
      "index age",
      trust.maxIndexAge === undefined ? "no limit in the profile" : `at most ${roughly(trust.maxIndexAge)}`,
    ],
    ...profile.feeds.map((feed) => [`feed ${feed.name}`, `${feed.format} at ${feed.path}`]),
  ];
  const text = rows.map(([label = "", value = ""]) => `${label.padEnd(18)}${escapeText(value)}`).join("\n");
  return { text: `profile ${profile.name} (${escapeText(profile.file)})\n${text}`, json: { profile } };
}

/** Reads a profile and its seeds, and reports problems with the seeds. @throws FeedkeyError as `checkProfile` does */
export async function check(context: Context, name: string | undefined): Promise<Outcome> {
  const { at, reporter } = context;
  const { profile, seeds, errors } = await checkProfile(await named(context, name), { at, reporter, partial: true });
  const rows = seeds.map(({ fingerprint, userId, state }) => [fingerprint, escapeText(userId ?? ""), state]);
  const found = table(["seed", "user ID", "today"], rows);
  return {
    text: errors.length === 0 ? `profile ${profile.name} is in order\n${found}` : found,
    json: { name: profile.name, seeds: seeds.map(({ fault: _, ...seed }) => seed) },
    errors,
  };
}

/** Adds keys from the archive's bundle to the profile's seeds. @throws FeedkeyError as `addSeeds` does */
export async function addSeed(context: Context, fingerprints: readonly string[]): Promise<Outcome> {
  const { at, reporter } = context;
  const { offline } = context.options;
  const { file, keyring, seeds, added } = await addSeeds(await context.profile(), {
    fingerprints,
    at,
    offline,
    reporter,
  });
  const text =
    added.length === 0
      ? "nothing to do: these keys are already seeds"
      : `${escapeText(file)}: added ${added.join(", ")}`;
  return { text, json: { file, keyring, seeds, added } };
}

export interface ProfileInitOptions {
  readonly fingerprint: string[];
  readonly name?: string;
  readonly feed?: string[];
  /** A file with [feed] sections; `-` is standard input. */
  readonly feeds?: string;
  readonly format: string;
  /** The key servers, separated by commas; if undefined, the profile gets no key servers, and feedkey warns. */
  readonly keyservers?: string;
  readonly ca?: string;
  readonly keyserverCa?: string;
  readonly output: string;
  readonly force?: boolean;
}
