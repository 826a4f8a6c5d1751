/** Makes a GnuPG home for opkg, in which every key has ultimate ownertrust. The new home is made beside the old home, then replaces it. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode, unlessMissing } from "../error.ts";
import { escapeText } from "../escape.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { runGpg } from "../files/programs.ts";
import { outputError } from "../files/system-error.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** The file in a home with the keyring from which feedkey made the home. It also shows that feedkey made the home. */
export const homeRecord = "feedkey-keyring.pgp";

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "ENOTDIR") return [folder];
    throw error;
  }
}

// The temporary paths of the new home and of the replaced home. A killed run may leave folders at these paths.
const homeInTheMaking = (path: string): string => `${path}.feedkey-new`;
const homeMovedAside = (path: string): string => `${path}.feedkey-old`;

/** Matches the names of the files that gpg and dirmngr create in a home by themselves. */
const gpgsOwn =
  /^(pubring\.kbx~?|trustdb\.gpg|private-keys-v1\.d|openpgp-revocs\.d|crls\.d|random_seed|reader_\d+\.status|S\..+|\.#lk.+|.+\.lock)$/;

/** Returns why feedkey must not remove a home. Undefined if gpg or feedkey made all files in the home, and no file is a secret key. */
export async function foreignFile(path: string, names: readonly string[]): Promise<string | undefined> {
  for (const [folder, what] of [
    ["private-keys-v1.d", "secret keys"],
    ["openpgp-revocs.d", "revocation certificates"],
  ] as const) {
    const inside = names.includes(folder) ? await namesIn(join(path, folder)) : [];
    if ((inside ?? []).length > 0) return `has ${what} in it`;
  }
  const other = names.find((name) => name !== homeRecord && !gpgsOwn.test(name));
  return other === undefined ? undefined : `has ${other} in it, which feedkey did not put there`;
}

/** The size in bytes of a keybox without keys, which has only a header (GnuPG's kbx/keybox-blob.c). */
const emptyKeybox = 32;

/** Tells whether a home has neither keys nor settings. opkg makes such an empty home by itself. */
export async function isSpareHome(path: string): Promise<boolean> {
  const names = await namesIn(path).catch(() => undefined);
  if (names === undefined || names.includes(homeRecord)) return false;
  if ((await foreignFile(path, names)) !== undefined) return false;
  for (const name of names.filter((one) => one.startsWith("pubring.kbx"))) {
    const keybox = await fs.readFile(join(path, name)).catch(() => undefined);
    const isEmpty = keybox?.length === emptyKeybox && keybox.toString("latin1", 8, 12) === "KBXf";
    if (!isEmpty && !name.endsWith(".lock")) return false;
  }
  return true;
}

/**
 * Returns the path of the present home, if feedkey may replace it. feedkey may replace a home with only its own files, a home without keys,
 * and a home that does not exist yet. If a run was killed while it replaced the home, the home may still be at its temporary path, and opkg
 * may have made an empty home since.
 * @param path the path of the home, which need not exist
 * @throws FeedkeyError `output` if the home is a user's, because a user's home may contain secret keys
 */
export async function presentHome(path: string): Promise<string> {
  const names = await namesIn(path);
  if (names === undefined || (await isSpareHome(path))) {
    const aside = homeMovedAside(path);
    return (await namesIn(aside))?.includes(homeRecord) === true ? aside : path;
  }
  const isOurs = names.includes(homeRecord);
  const secrets = isOurs ? await namesIn(join(path, "private-keys-v1.d")) : [];
  if (isOurs && (secrets ?? []).length === 0) return path;
  const why = isOurs ? "has secret keys in it" : "was not made by feedkey";
  throw new FeedkeyError("output", `${escapeText(path)} ${why}, and would be replaced`, {
    details: { path },
    hint: "choose a folder that does not exist yet, and write its path as gpg_dir into opkg.conf",
  });
}

/**
 * Checks that feedkey may replace a home, and puts back a home that a killed run moved aside.
 * @throws FeedkeyError `output` if feedkey must not replace the home
 */
export async function claimHome(path: string): Promise<void> {
  const present = await presentHome(path);
  try {
    if (present !== path) {
      // The home at this path has no keys, or does not exist.
      await fs.rm(path, { recursive: true, force: true, maxRetries: 3 });
      await fs.rename(present, path);
    }
    // The new home is in place: a killed run only did not remove the old home that it had moved aside.
    const isThere = (await namesIn(path))?.includes(homeRecord) === true;
    if (isThere) await fs.rm(homeMovedAside(path), { recursive: true, force: true });
    await fs.rm(homeInTheMaking(path), { recursive: true, force: true });
  } catch (error) {
    throw outputError(error, path);
  }
}

/**
 * Runs gpg with a home.
 * @returns gpg's standard output
 */
async function gpg(home: string, args: readonly string[], input: Uint8Array | string = ""): Promise<string> {
  const { status, stdout, stderr, cause } = await runGpg(args, { home, input });
  if (status !== 0) throw new Error(`gpg ${args[0] ?? ""}: ${stderr.trim()}`, { cause });
  return stdout.toString();
}

/** Returns the fingerprints of the certificates in a home; undefined if gpg can't list them. */
export async function keysOfHome(path: string): Promise<Fingerprint[] | undefined> {
  const listed = await gpg(path, ["--no-auto-check-trustdb", "--with-colons", "--list-keys"]).catch(() => undefined);
  return listed === undefined
    ? undefined
    : [...listed.matchAll(/^pub:.*\nfpr:+([0-9A-F]+):/gm)].map(([, key = ""]) => key);
}

/**
 * Removes a home that feedkey made, and what killed runs left beside it.
 * @throws FeedkeyError `output` if a file can't be removed
 */
export async function removeHome(path: string): Promise<void> {
  try {
    for (const one of [homeInTheMaking(path), homeMovedAside(path), path]) {
      await fs.rm(one, { recursive: true, force: true, maxRetries: 3 });
    }
  } catch (error) {
    throw outputError(error, path);
  }
}

/**
 * Replaces a home by a new home with these keys.
 * @param path a path that `claimHome` has accepted
 * @param keyring the certificates, in binary form
 * @param keys the fingerprints of these certificates
 * @throws FeedkeyError `output` if gpg can't make the home
 */
export async function writeHome(path: string, keyring: Uint8Array, keys: readonly Fingerprint[]): Promise<void> {
  const fresh = homeInTheMaking(path);
  await fs.rm(fresh, { recursive: true, force: true });
  await ensureFolder(fresh, 0o700);
  try {
    // gpg fails if it imports no key, but here a home without keys is valid.
    if (keys.length > 0) {
      await gpg(fresh, ["--import"], keyring);
      await gpg(fresh, ["--import-ownertrust"], keys.map((key) => `${key}:6:\n`).join(""));
    }
    await writeFileAtomic(join(fresh, homeRecord), keyring, { mode: 0o644 });
  } catch (cause) {
    await fs.rm(fresh, { recursive: true, force: true });
    throw new FeedkeyError("output", `the GnuPG home ${escapeText(path)} could not be made`, {
      cause,
      details: { path },
      hint: "check that GnuPG (gpg) is installed and that you may write to the folder",
    });
  }
  const old = homeMovedAside(path);
  await fs.rm(old, { recursive: true, force: true });
  await unlessMissing(fs.rename(path, old));
  await fs.rename(fresh, path);
  await fs.rm(old, { recursive: true, force: true });
}
