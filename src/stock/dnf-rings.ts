/**
 * dnf's own keyrings. For each repository, dnf keeps a GnuPG home. dnf reads the repository's key file only if verification with this home
 * fails, and never replaces a key in the home. So dnf does not notice that a key was extended, revoked or removed (dnf 4.14 and 4.23). `dnf
 * clean all` does not delete these homes, so feedkey writes them itself.
 */
import { hash } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { FeedkeyError, systemCode, tryEach } from "../error.ts";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { TargetRoot } from "../files/target-root.ts";
import { writeCertificates } from "../openpgp/certificate/certificate.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { homeRecord, keysOfHome, removeHome, writeHome } from "./gnupg-home.ts";
import { writeRpmDatabase } from "./rpm-database.ts";
import { type KeyFile, namesIn, type RpmRepository, repositoriesWith, systemFile, wordsOf } from "./rpm-system.ts";

/** The path of the folder with dnf's key files, below the root of a system. */
export const dnfKeyFolder = "etc/pki/rpm-gpg";
export const dnfRepositories = "etc/yum.repos.d";
export const dnfCache = "var/cache/dnf";

/**
 * Applies an export to dnf: writes the homes of all repositories that name the key file, and rpm's database. Adds keys to the database only
 * if dnf also checks package signatures. Removes barred keys from it in any case, because dnf may have checked package signatures before.
 * @returns warnings for the user
 * @throws FeedkeyError `output` if a home or the database can't be written
 */
export async function followDnf({ path, certificates, barred }: KeyFile): Promise<readonly string[]> {
  const file = systemFile(path, dnfKeyFolder);
  if (file === undefined) {
    return [
      `dnf will not notice changes: its own copies of the keys are written only for a file in /${dnfKeyFolder} that a .repo file names`,
    ];
  }
  const repositories = await repositoriesWith(file, dnfRepositories);
  const keyring = writeCertificates(certificates);
  const keys = certificates.map(({ fingerprint }) => fingerprint);
  const checksPackages = repositories.some(({ values }) => /^(1|yes|true|on)$/i.test(values.get("gpgcheck") ?? ""));
  // If one step fails, the other steps still run, so that every other keyring loses its barred keys.
  const steps = [
    ...repositories.map((repository) => () => writeRings(repository, file.root, keyring, keys)),
    () => writeRpmDatabase(file, checksPackages ? certificates : [], barred),
  ];
  const { good, errors } = await tryEach(steps, (step) => step());
  for (const error of errors) throw error;
  return good.flat();
}

/**
 * Writes a repository's homes.
 * @returns warnings for the user
 * @throws FeedkeyError `output` or `bad_path` if a home can't be written
 */
async function writeRings(
  repository: RpmRepository,
  root: string,
  keyring: Uint8Array,
  keys: readonly Fingerprint[],
): Promise<readonly string[]> {
  if (repository.id.includes("/"))
    return [`the repository ${escapeText(repository.id)} is left out: dnf does not accept such an ID`];
  const warnings: string[] = [];
  for (const ring of await ringsOf(repository, root)) {
    const added = (await isCurrent(ring, keyring, keys)) ? [] : await replaceRing(ring, keyring, keys);
    for (const warning of added) warnings.push(warning);
  }
  return warnings;
}

/**
 * Finds a repository's homes. dnf names each home after the repository and its first URL, so after a change of the URL there are several.
 */
async function ringsOf({ id, values }: RpmRepository, folder: string): Promise<string[]> {
  const root = await TargetRoot.open(folder);
  const cache = dirname(await root.hostPath(`${dnfCache}/x`));
  const named = (await namesIn(cache)).filter(
    (name) => name.startsWith(`${id}-`) && /^[0-9a-f]{16}$/.test(name.slice(id.length + 1)),
  );
  const address = values.get("metalink") ?? values.get("mirrorlist") ?? wordsOf(values.get("baseurl"))[0] ?? "";
  // If the URL contains variables, only dnf knows their values, so feedkey finds only homes that already exist.
  const expected = address === "" || address.includes("$") ? [] : [`${id}-${hash("sha256", address).slice(0, 16)}`];
  const names = [...new Set([...named, ...expected])];
  return await Promise.all(names.map(async (name) => await root.hostPath(`${dnfCache}/${name}/pubring`)));
}

/** Tells whether feedkey made a home from exactly this keyring, and the home still has exactly its keys. */
async function isCurrent(ring: string, keyring: Uint8Array, keys: readonly Fingerprint[]): Promise<boolean> {
  const made = await fs.readFile(join(ring, homeRecord)).catch(() => undefined);
  if (made === undefined || !made.equals(keyring)) return false;
  const held = await keysOfHome(ring);
  return held !== undefined && held.toSorted().join() === keys.toSorted().join();
}

async function replaceRing(ring: string, keyring: Uint8Array, keys: readonly Fingerprint[]): Promise<string[]> {
  try {
    await ensureFolder(dirname(ring), 0o755);
    await writeHome(ring, keyring, keys);
    return [];
  } catch (error) {
    // If the home is missing, dnf reads the key file again and asks the user.
    await removeHome(ring);
    if (!(error instanceof FeedkeyError) && systemCode(error) === undefined) throw error;
    return [
      `${escapeText(ring)} was removed, because gpg could not write it: dnf will ask once whether to trust the keys (with -y, dnf trusts them)`,
    ];
  }
}
