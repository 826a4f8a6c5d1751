/** Adds seeds to an existing profile. The user gives the seeds' fingerprints; their certificates come from the archive's bundle. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { commitStaged, stageAll } from "../../files/atomic.ts";
import { withValue } from "../../profile/edit-ini.ts";
import { readProfile } from "../../profile/read-profile.ts";
import type { Profile } from "../../profile/types.ts";
import type { Reporter } from "../../refresh/session.ts";
import type { Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import type { Report } from "../client-options.ts";
import { report } from "../with-warnings.ts";
import { takeSeeds } from "./bundle-seeds.ts";
import { certificateFiles, fullFingerprint, readBundle } from "./init-profile.ts";

export interface AddSeedOptions {
  /** The full fingerprints of the archive's keys, which the user got from a source other than the archive. */
  readonly fingerprints: readonly string[];
  readonly at?: Instant | undefined;
  readonly offline?: boolean | undefined;
  /** Receives warnings as they occur. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** The result of adding seeds to a profile. */
export interface SeedsAdded {
  readonly file: string;
  readonly keyring: string;
  /** All seeds that the profile has now; `added` contains the new ones. */
  readonly seeds: readonly Fingerprint[];
  readonly added: readonly Fingerprint[];
}

async function add(profile: Profile, options: AddSeedOptions, reporter: Reporter): Promise<SeedsAdded> {
  const { archive, trust, file } = profile;
  const { at = Date.now(), offline } = options;
  const named = [...new Set(options.fingerprints.map(fullFingerprint))];
  const added = named.filter((seed) => !trust.seeds.includes(seed));
  const seeds = [...trust.seeds, ...added];
  if (added.length === 0) return { file, keyring: trust.keyring, seeds, added };
  if (!(await stat(trust.keyring)).isDirectory()) {
    throw new FeedkeyError(
      "bad_profile",
      `the keyring ${escapeText(trust.keyring)} is a file, and feedkey adds seeds only to a folder`,
      {
        hint: `add the certificate to that file yourself, and ${added.join(", ")} to the line "seeds" of the profile`,
      },
    );
  }
  const bundle = await readBundle(archive.url, { ca: archive.ca, offline, credentials: archive.credentials });
  const { certificates } = await takeSeeds({ at, reporter }, bundle, added);
  const next = withValue(await readFile(file, "utf8"), "trust", "seeds", seeds.join(", "));
  if (readProfile(next, file).trust.seeds.join() !== seeds.join()) {
    throw new FeedkeyError("bad_profile", `the line "seeds" of ${escapeText(file)} could not be changed`, {
      hint: `write the line yourself: seeds = ${seeds.join(", ")}`,
    });
  }
  // If the profile is a symbolic link, feedkey replaces the link's target and keeps the target's permissions.
  const target = await realpath(file);
  const mode = (await stat(target)).mode & 0o777;
  const keys = certificateFiles(join(trust.keyring), certificates);
  await commitStaged(await stageAll([...keys, { path: target, data: next, mode }]));
  return { file, keyring: trust.keyring, seeds, added };
}

/**
 * Adds keys from the archive's bundle to a profile's seeds and keyring. After an error, profile and keyring are unchanged.
 * @throws FeedkeyError `usage` if a fingerprint is not complete; `not_found` if the archive has no bundle; `untrusted_signer`
 *   if the bundle lacks a key; `revoked`, `bad_certificate`, `bad_profile`, `output`
 */
export async function addSeeds(profile: Profile, options: AddSeedOptions): Promise<Report<SeedsAdded>> {
  return await report(options.reporter, true, (reporter) => add(profile, options, reporter));
}
