/** T2: reads the certificates that a profile provides. */
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { readTrustedFile, trustedNames } from "../files/trusted-file.ts";
import type { Keyring, RawCertificate } from "../openpgp/certificate/certificate.ts";
import { attachLoose, collect } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import type { Packet } from "../openpgp/packet/packets.ts";
import type { Profile } from "../profile/types.ts";

// A FAT file system may give names in upper case, so the case of the extension does not matter.
const keyFile = /\.(asc|pgp|gpg|key)$/i;

const use = { what: "the keyring", code: "bad_profile" } as const;

interface KeyringFiles {
  readonly paths: readonly string[];
  /** The names of the other files in the folder, which are not read because they lack the extension of a key file. */
  readonly others: readonly string[];
}

async function keyringFiles(path: string): Promise<KeyringFiles> {
  const names = await trustedNames(path, use);
  if (names === undefined) return { paths: [path], others: [] };
  const [keys, others] = [true, false].map((isKey) => names.filter((name) => keyFile.test(name) === isKey).sort());
  return { paths: (keys ?? []).map((name) => join(path, name)), others: others ?? [] };
}

/** The contents of a profile's keyring. */
interface SeedKeyring {
  /** The seeds and other certificates in the keyring, by fingerprint. */
  readonly certificates: ReadonlyMap<string, RawCertificate>;
  /** Bare revocations (without a certificate) of these keys or of other keys (T4). */
  readonly loose: Keyring["loose"];
}

/**
 * Reads a profile's keyring: the seeds and other certificates.
 * @returns the certificates, among them every seed that the profile lists, with the keyring's bare revocations attached to them
 * @throws FeedkeyError `no_seed` if the profile lists no seed; `bad_profile` if a listed seed is missing, a file can't be read to its end,
 * the keyring contains a secret key, or other users can write to the keyring
 */
export async function readSeeds(profile: Profile): Promise<SeedKeyring> {
  const { keyring, seeds } = profile.trust;
  if (seeds.length === 0) {
    const problem = `profile "${profile.name}" has no seed, so feedkey can't know which keys are the archive's`;
    throw new FeedkeyError("no_seed", problem, {
      details: { profile: profile.name, file: profile.file },
      hint: `get the full fingerprint of the archive's key from the archive's keepers, put its certificate into ${escapeText(keyring)} and the fingerprint into "seeds" of ${escapeText(profile.file)}`,
    });
  }
  const certificates: RawCertificate[] = [];
  const loose: Packet[] = [];
  const { files, others } = await keyringOf(profile);
  const unread = others.map(
    (name) => `${escapeText(name)} is not read, because its name doesn't end in .asc, .pgp, .gpg or .key`,
  );
  for (const [file, bytes] of files) {
    const read = readKeys(bytes);
    if (read.secretKeys > 0) {
      throw new FeedkeyError("bad_profile", `there is a secret key in the keyring: ${escapeText(file)}`, {
        details: { file },
        hint: "anyone who has seen this file can sign as the archive: tell the archive's keepers, who must revoke that key and make a new one; a keyring must contain only certificates",
      });
    }
    // The part that could not be read may contain a revocation.
    if (!read.isWhole) {
      const problem = `the keyring file ${escapeText(file)} can't be read to its end: ${read.problems.join(", ")}`;
      throw new FeedkeyError("bad_profile", problem, {
        details: { file, problems: read.problems },
        hint: "get the file again, or export the certificates again",
      });
    }
    if (read.certificates.length === 0) {
      for (const problem of read.problems) unread.push(`${escapeText(file)}: ${escapeText(problem)}`);
    }
    for (const certificate of read.certificates) certificates.push(certificate);
    for (const packet of read.loose) loose.push(packet);
  }
  const found = attachLoose(collect(certificates), loose);
  const missing = seeds.filter((seed) => !found.has(seed));
  if (missing.length > 0) {
    throw new FeedkeyError(
      "bad_profile",
      [
        `profile "${profile.name}" names ${missing.length === 1 ? "a seed that is" : "seeds that are"} not in its keyring: ${missing.join(", ")}`,
        ...unread.slice(0, 5),
      ].join("; "),
      {
        details: { profile: profile.name, keyring, missing, unread },
        hint: `put the certificate of each missing seed (armored or binary) into ${escapeText(keyring)}`,
      },
    );
  }
  return { certificates: found, loose };
}

/** Reads the files in the keyring, by path, and lists the names of the files that are not read. */
async function keyringOf(profile: Profile) {
  const { keyring } = profile.trust;
  try {
    const files = new Map<string, Uint8Array>();
    const { paths, others } = await keyringFiles(keyring);
    for (const file of paths) files.set(file, await readTrustedFile(file, use));
    return { files, others };
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    const problem = `the keyring ${escapeText(keyring)} of profile "${profile.name}" can't be read`;
    throw new FeedkeyError("bad_profile", problem, {
      cause,
      details: { profile: profile.name, keyring },
      hint: 'check the line "keyring" of the profile, and the permissions of that folder',
    });
  }
}
