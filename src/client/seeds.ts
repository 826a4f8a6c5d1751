/** T2: the certificates that a profile ships. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { RawCertificate } from "../openpgp/certificate.ts";
import { collect } from "../openpgp/merge.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import type { Profile } from "../profile/types.ts";

const keyFile = /\.(asc|pgp|gpg|key)$/;

async function keyringFiles(path: string): Promise<string[]> {
  const stat = await fs.stat(path);
  if (!stat.isDirectory()) return [path];
  const names = await fs.readdir(path);
  return names
    .filter((name) => keyFile.test(name))
    .sort()
    .map((name) => join(path, name));
}

/**
 * Reads a profile's keyring: the seeds and whatever certificates lie beside them.
 * @returns certificates by fingerprint; every seed that the profile lists is among them
 * @throws FeedkeyError `no_seed` if the profile lists none; `bad_profile` if a listed one is missing or a secret key
 *   stands among them
 */
export async function readSeeds(profile: Profile): Promise<ReadonlyMap<string, RawCertificate>> {
  const { keyring, seeds } = profile.trust;
  if (seeds.length === 0) {
    throw new FeedkeyError(
      "no_seed",
      `profile "${profile.name}" has no seed: nothing tells which keys are the archive's`,
      {
        details: { profile: profile.name, file: profile.file },
        hint: `get the archive's full fingerprint from its keepers, put the certificate into ${escapeText(keyring)} and the fingerprint into "seeds" of ${escapeText(profile.file)}`,
      },
    );
  }
  const certificates: RawCertificate[] = [];
  for (const file of await listed(profile)) {
    const read = readKeys(await fs.readFile(file));
    if (read.secretKeys > 0) {
      throw new FeedkeyError("bad_profile", `a secret key lies in the keyring: ${escapeText(file)}`, {
        details: { file },
        hint: "whoever saw this file can sign as the archive: revoke that key, make a new one, and ship certificates only",
      });
    }
    for (const certificate of read.certificates) certificates.push(certificate);
  }
  const found = collect(certificates);
  const missing = seeds.filter((seed) => !found.has(seed));
  if (missing.length > 0) {
    throw new FeedkeyError(
      "bad_profile",
      `seed ${missing.join(", ")} of profile "${profile.name}" is not in its keyring`,
      {
        details: { profile: profile.name, keyring, missing },
        hint: `put its certificate (armored or binary) into ${escapeText(keyring)}`,
      },
    );
  }
  return found;
}

async function listed(profile: Profile): Promise<string[]> {
  const { keyring } = profile.trust;
  try {
    return await keyringFiles(keyring);
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new FeedkeyError(
      "bad_profile",
      `the keyring ${escapeText(keyring)} of profile "${profile.name}" can't be read`,
      {
        cause,
        details: { profile: profile.name, keyring },
        hint: 'check the line "keyring" of the profile, and who may read that folder',
      },
    );
  }
}
