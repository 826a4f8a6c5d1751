/** Lists the profiles, and checks whether clients can use a profile. */
import { join } from "node:path";
import { type ErrorCode, FeedkeyError, orRefusal } from "../../error.ts";
import { chosenProfile, findProfile, profileNamesIn, profileSearchPath } from "../../files/paths.ts";
import { KeyIndex } from "../../openpgp/check/key-index.ts";
import { readFacts } from "../../openpgp/check/read-facts.ts";
import type { Profile } from "../../profile/types.ts";
import { readSeeds } from "../../refresh/seeds.ts";
import type { Instant } from "../../time.ts";
import { signingKeys } from "../../trust/expiry-forecast.ts";
import type { CertificateFacts } from "../../trust/facts.ts";
import { effectiveRevocation, primaryState, refusePrimary } from "../../trust/key-state.ts";
import { refuseOutdated, refuseWeakKey } from "../../trust/policy.ts";
import type { ClientOptions, Report } from "../client-options.ts";
import { report } from "../with-warnings.ts";
import { loadProfile } from "./load-profile.ts";

/** A profile on the search path, with the reason if feedkey can't read it. */
export interface FoundProfile {
  readonly name: string;
  readonly file: string;
  readonly profile: Profile | undefined;
  readonly error: FeedkeyError | undefined;
}

/**
 * Returns every profile on the search path. If several profiles have the same name, returns only the first, because commands
 * use the first profile with a name.
 */
export async function listProfiles(): Promise<FoundProfile[]> {
  const found = new Map<string, FoundProfile>();
  for (const folder of profileSearchPath()) {
    for (const name of await profileNamesIn(folder)) {
      if (found.has(name)) continue;
      const file = join(folder, `${name}.ini`);
      const read = await orRefusal(() => loadProfile(file));
      const isRead = !(read instanceof FeedkeyError);
      found.set(name, { name, file, profile: isRead ? read : undefined, error: isRead ? undefined : read });
    }
  }
  return [...found.values()];
}

async function defaultProfile(): Promise<string> {
  return await findProfile("default").catch((error: unknown) => {
    if (!(error instanceof FeedkeyError) || error.code !== "not_found") throw error;
    throw new FeedkeyError("usage", "no profile is given", {
      hint: 'give the name or the file of a profile with --profile or in $FEEDKEY_PROFILE; "feedkey profile list" shows the profiles',
    });
  });
}

/**
 * Returns the settings in a profile, including the defaults of settings that the profile omits.
 * @param name the profile's name or file; by default, the profile that $FEEDKEY_PROFILE names, or else the profile called "default"
 * @throws FeedkeyError `usage` if neither the caller nor $FEEDKEY_PROFILE names a profile, and no profile is called "default";
 *   `not_found`, `bad_profile`
 */
export async function showProfile(name?: string): Promise<Profile> {
  return await loadProfile(await findProfile(chosenProfile(name) ?? (await defaultProfile())));
}

/** A seed in a profile, and what the seed may do now. */
export interface SeedState {
  readonly fingerprint: string;
  readonly userId: string | null;
  /** The error code of the reason why the seed may not sign now; null if the seed may sign or certify. */
  readonly code: ErrorCode | null;
  readonly state: string;
  /**
   * What is wrong with the seed: unknown kind of key, unusable, or revoked (soft or hard). An expired seed has no fault,
   * because it still leads to its successors.
   */
  readonly fault: "unknown" | "unusable" | "soft" | "hard" | undefined;
}

/**
 * Tells whether a key can neither sign nor certify its successor (T3a), because the key is weak (T3e, T14) or has no usable
 * self-signature. The certifications by an expired key still count.
 */
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
 * Returns an error if the profile has a hard-revoked seed, which the user must replace, or if all its seeds are unusable or retired.
 */
function refuseSeeds(seeds: readonly SeedState[], { name, trust }: Profile): FeedkeyError[] {
  const hard = seeds.filter(({ fault }) => fault === "hard");
  const isSpent = ({ fault }: SeedState) =>
    fault === "unusable" || (fault === "soft" && trust.retiredIssuers === "refuse");
  const bad = hard.length > 0 ? hard : seeds.every(isSpent) ? seeds : [];
  const [first] = bad;
  if (first === undefined) return [];
  const code = first.code ?? "bad_certificate";
  const problem = `seed ${first.fingerprint}: ${first.state}, so clients can't start from this seed`;
  const hint =
    code === "revoked"
      ? "ask the archive's keepers for the fingerprint of their present key, and replace this seed with it"
      : "ask the archive's keepers for a newer certificate of this key, or for the fingerprint of another key";
  return [
    new FeedkeyError(code, `profile "${name}" is not in order: ${problem}`, {
      details: { seeds: bad.map(({ fingerprint }) => fingerprint) },
      hint,
    }),
  ];
}

export interface CheckProfileOptions extends Pick<ClientOptions, "at" | "reporter"> {
  /** Whether the call returns the seeds together with the error, instead of throwing the error. */
  readonly partial?: boolean | undefined;
}

/**
 * Reads a profile's seeds and checks them.
 * @param named the profile's name or file, or a profile that has already been read
 * @throws FeedkeyError `no_seed`, `bad_profile`; unless `partial` is set, the error about seeds that make the profile unusable
 */
export async function checkProfile(
  named: string | Profile,
  { at = Date.now(), reporter: to, partial }: CheckProfileOptions = {},
): Promise<Report<{ readonly profile: Profile; readonly seeds: readonly SeedState[] }>> {
  const profile = typeof named === "string" ? await showProfile(named) : named;
  return await report(to, partial, async (reporter) => {
    const seeds = await seedStates(profile, at);
    for (const { fingerprint, state, fault } of seeds) {
      if (fault !== undefined && fault !== "hard") reporter.warn(`seed ${fingerprint}: ${state}`);
    }
    if (profile.trust.keyservers.length === 0) {
      reporter.warn("keyservers = none: revocations reach this client only through the archive's own bundle");
    }
    return { profile, seeds, errors: refuseSeeds(seeds, profile) };
  });
}
