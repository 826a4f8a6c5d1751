/** `feedkey profile list|show|check`. */
import { join } from "node:path";
import { loadProfile } from "../../client/load-profile.ts";
import { type ErrorCode, FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { findProfile, profileNamesIn, profileSearchPath } from "../../files/paths.ts";
import { KeyIndex } from "../../openpgp/check/key-index.ts";
import { readFacts } from "../../openpgp/check/read-facts.ts";
import type { Identity, Profile } from "../../profile/types.ts";
import { readSeeds } from "../../refresh/seeds.ts";
import { type Instant, roughly } from "../../time.ts";
import { signingKeys } from "../../trust/expiry-forecast.ts";
import type { CertificateFacts } from "../../trust/facts.ts";
import { effectiveRevocation, primaryState, refusePrimary } from "../../trust/key-state.ts";
import { refuseOutdated, refuseWeakKey } from "../../trust/policy.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";

/** Every profile on the search path; the first of a name is the one that the name means. */
export async function list(_context: Context): Promise<Outcome> {
  const found = new Map<string, { file: string; profile?: Profile; error?: FeedkeyError }>();
  for (const folder of profileSearchPath()) {
    for (const name of await profileNamesIn(folder)) {
      if (found.has(name)) continue;
      const file = join(folder, `${name}.ini`);
      const read = await loadProfile(file).catch((error: unknown) => {
        if (error instanceof FeedkeyError) return error;
        throw error;
      });
      found.set(name, read instanceof FeedkeyError ? { file, error: read } : { file, profile: read });
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

interface SeedState {
  readonly fingerprint: string;
  readonly userId: string | null;
  /** Why it may not sign today; null if it may. */
  readonly code: ErrorCode | null;
  readonly state: string;
  /** What is wrong with it as a seed: an expired one may still have passed trust on, a revoked one may not have. */
  readonly fault: "unknown" | "unusable" | "soft" | "hard" | undefined;
}

/** Whether it neither signs nor passes trust on (T3a): it is weak (T3e, T14), or nothing that it says of itself counts. An expired one still may. */
function isUnusable(facts: CertificateFacts, at: Instant): boolean {
  const state = primaryState(facts, at);
  const weak = refuseWeakKey(facts.primary) ?? refuseOutdated(facts.primary, at);
  return weak !== undefined || ("code" in state && state.code !== "not_yet_valid");
}

async function seedStates(profile: Profile, at: Instant): Promise<SeedState[]> {
  const { certificates } = await readSeeds(profile);
  const keys = await KeyIndex.of(certificates.values());
  const seeds: SeedState[] = [];
  for (const fingerprint of profile.trust.seeds) {
    const loaded = keys.certificates.find(({ raw }) => raw.fingerprint === fingerprint);
    if (loaded === undefined) {
      const state = "can't be used: unknown kind of key";
      seeds.push({ fingerprint, userId: null, code: null, state, fault: "unknown" });
      continue;
    }
    const facts = await readFacts(loaded, keys);
    const refused = refusePrimary(facts, at);
    const userId = facts.userIds[0]?.text ?? null;
    const able = signingKeys(facts, at).size > 0 ? "may sign" : "may certify";
    const fault = effectiveRevocation(facts.revocations, at)?.kind ?? (isUnusable(facts, at) ? "unusable" : undefined);
    seeds.push({ fingerprint, userId, code: refused?.code ?? null, state: refused?.reason ?? able, fault });
  }
  return seeds;
}

/**
 * A seed that was compromised must leave the profile; those that are retired, or of which nothing can be used, are good for
 * nothing where nothing else is left.
 */
function refuseSeeds(seeds: readonly SeedState[], { name, trust }: Profile): FeedkeyError[] {
  const hard = seeds.filter(({ fault }) => fault === "hard");
  const isSpent = ({ fault }: SeedState) =>
    fault === "unusable" || (fault === "soft" && trust.retiredIssuers === "refuse");
  const bad = hard.length > 0 ? hard : seeds.every(isSpent) ? seeds : [];
  const [first] = bad;
  if (first === undefined) return [];
  const code = first.code ?? "bad_certificate";
  return [
    new FeedkeyError(
      code,
      `profile "${name}" is not in order: seed ${first.fingerprint}: ${first.state}, and vouches for nothing`,
      {
        details: { seeds: bad.map(({ fingerprint }) => fingerprint) },
        hint:
          code === "revoked"
            ? renewed
            : "ask the archive's keepers for their present certificate, with new self-signatures, or for another key",
      },
    ),
  ];
}

const renewed =
  "ask the archive's keepers for the fingerprint of their present key, and put it in the place of this one";

/** Reads the profile and its seeds, and says what is wrong with either. @throws FeedkeyError as `readSeeds` */
export async function check(context: Context, name: string | undefined): Promise<Outcome> {
  const profile = await named(context, name);
  const seeds = await seedStates(profile, context.at);
  const errors = refuseSeeds(seeds, profile);
  for (const { fingerprint, state, fault } of seeds) {
    if (fault !== undefined && fault !== "hard") context.reporter.warn(`seed ${fingerprint}: ${state}`);
  }
  if (profile.trust.keyservers.length === 0) {
    context.reporter.warn("keyservers = none: a revocation reaches this client through the archive's own bundle only");
  }
  const rows = seeds.map(({ fingerprint, userId, state }) => [fingerprint, escapeText(userId ?? ""), state]);
  const found = table(["seed", "user ID", "today"], rows);
  return {
    text: errors.length === 0 ? `profile ${profile.name} is in order\n${found}` : found,
    json: { name: profile.name, seeds: seeds.map(({ fault: _, ...seed }) => seed) },
    errors,
  };
}

export interface ProfileInitOptions {
  readonly fingerprint: string[];
  readonly name?: string;
  readonly feed?: string[];
  readonly format: string;
  /** Undefined: none, which is said aloud. */
  readonly keyservers?: string;
  readonly ca?: string;
  readonly keyserverCa?: string;
  readonly output: string;
  readonly force?: boolean;
}
