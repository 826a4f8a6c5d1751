/** `feedkey profile list|show|check`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readSeeds } from "../client/seeds.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import type { Identity, Profile } from "../profile/types.ts";
import { findProfile, profileSearchPath } from "../store/paths.ts";
import { roughly } from "../time.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { type Context, loadProfile } from "./context.ts";
import type { Outcome } from "./run.ts";
import { table } from "./show.ts";

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(".ini")).sort();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Every profile on the search path; the first of a name is the one that the name means. */
export async function list(_context: Context): Promise<Outcome> {
  const found = new Map<string, { file: string; profile?: Profile; error?: FeedkeyError }>();
  for (const folder of profileSearchPath()) {
    for (const name of await namesIn(folder)) {
      const key = name.slice(0, -4);
      if (found.has(key)) continue;
      const file = join(folder, name);
      const read = await loadProfile(file).catch((error: unknown) => {
        if (error instanceof FeedkeyError) return error;
        throw error;
      });
      found.set(key, read instanceof FeedkeyError ? { file, error: read } : { file, profile: read });
    }
  }
  const rows = [...found].map(([name, { file, profile, error }]) => {
    const seeds = profile === undefined ? (error?.code ?? "") : String(profile.trust.seeds.length);
    return [name, escapeText(profile?.archive.name ?? "(unreadable)"), seeds, escapeText(file)];
  });
  const json = [...found].map(([name, { file, profile, error }]) => {
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
  return name === undefined ? await context.profile() : await loadProfile(await findProfile(name));
}

function identityText(identity: Identity): string {
  return identity.kind === "user-id" ? identity.userId : `<${identity.email}>`;
}

/** What the profile says, defaults filled in. @throws FeedkeyError `usage`, `not_found`, `bad_profile` */
export async function show(context: Context, name: string | undefined): Promise<Outcome> {
  const profile = await named(context, name);
  const { archive, trust } = profile;
  const check = trust.revocationCheck === "always" ? "always" : `every ${roughly(trust.revocationCheck)}`;
  const rows = [
    ["archive", archive.name],
    ["url", [archive.url, ...archive.mirrors].join(", ")],
    ["keys named", identityText(archive.identity)],
    ["keyring", trust.keyring],
    ["seeds", trust.seeds.join(", ") || "none: this profile can't be used yet"],
    ["key servers", trust.keyservers.join(", ") || "none: revocations come from the archive's bundle alone"],
    ["revocation check", `${check}, grace ${roughly(trust.grace)}`],
    ["signers needed", String(trust.threshold)],
    [
      "index age",
      trust.maxIndexAge === undefined ? "no limit of the profile's" : `at most ${roughly(trust.maxIndexAge)}`,
    ],
    ...profile.feeds.map((feed) => [`feed ${feed.name}`, `${feed.format} at ${feed.path}`]),
  ];
  const text = rows.map(([label = "", value = ""]) => `${label.padEnd(18)}${escapeText(value)}`).join("\n");
  return { text: `profile ${profile.name} (${escapeText(profile.file)})\n${text}`, json: { profile } };
}

/** Reads the profile and its seeds, and says what is wrong with either. */
export async function check(context: Context, name: string | undefined): Promise<Outcome> {
  const profile = await named(context, name);
  const held = await readSeeds(profile);
  const keys = await KeyIndex.of(held.values());
  const rows: string[][] = [];
  const seeds = [];
  for (const fingerprint of profile.trust.seeds) {
    const loaded = keys.certificates.find(({ raw }) => raw.fingerprint === fingerprint);
    const facts = loaded === undefined ? undefined : await readFacts(loaded, keys);
    const refused = facts === undefined ? undefined : refusePrimary(facts, context.at);
    const state = facts === undefined ? "can't be used: unknown kind of key" : (refused?.reason ?? "may sign");
    rows.push([fingerprint, escapeText(facts?.userIds[0]?.text ?? ""), state]);
    seeds.push({ fingerprint, userId: facts?.userIds[0]?.text ?? null, code: refused?.code ?? null, state });
  }
  if (profile.trust.keyservers.length === 0) {
    context.reporter.warn("keyservers = none: a revocation reaches this client through the archive's own bundle only");
  }
  return {
    text: `profile ${profile.name} is in order\n${table(["seed", "user ID", "today"], rows)}`,
    json: { name: profile.name, seeds },
  };
}

export interface ProfileInitOptions {
  readonly fingerprint: string[];
  readonly name?: string;
  readonly feed?: string[];
  readonly keyservers: string;
  readonly output: string;
}
