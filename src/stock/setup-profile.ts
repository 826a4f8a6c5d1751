/** Copies the profile and its files into the system, to the place where feedkey looks for profiles. */

import * as fs from "node:fs/promises";
import { readError } from "../files/system-error.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { readTrustedFile } from "../files/trusted-file.ts";
import { armorCertificates } from "../openpgp/certificate/certificate.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { writePackets } from "../openpgp/packet/packets.ts";
import { relocateProfile } from "../profile/relocate-profile.ts";
import type { Profile } from "../profile/types.ts";
import { readSeeds } from "../refresh/seeds.ts";
import { type Item, profileName } from "./setup-item.ts";

const folder = "etc/feedkey/profiles";

async function readNamed(path: string, profile: Profile): Promise<Buffer> {
  try {
    return await readTrustedFile(path, { what: "the file", code: "bad_profile" });
  } catch (cause) {
    throw readError(cause, path, { code: "bad_profile", what: `${path}, which profile "${profile.name}" uses,` });
  }
}

/** Whether the profile is already at its final path. The administrator put it there, so feedkey uses it as it is. */
async function isInPlace({ name, file }: Profile, root: TargetRoot): Promise<boolean> {
  const real = (path: string) => fs.realpath(path).catch(() => undefined);
  const there = await real(await root.hostPath(profileName(name)));
  return there !== undefined && there === (await real(file));
}

/**
 * Returns the files of a profile: the certificates in its keyring, its certificate authorities, and the profile itself.
 * @param ours whether feedkey put the profile at its final path
 * @returns an empty list if the administrator put the profile at its final path
 * @throws FeedkeyError `bad_profile` if a file can't be read; `no_seed` if the profile lists no seed
 */
export async function profileItems(profile: Profile, root: TargetRoot, ours: boolean): Promise<Item[]> {
  const { name, file, archive, trust } = profile;
  const seeds = await readSeeds(profile);
  if (!ours && (await isInPlace(profile, root))) return [];
  const places = {
    keyring: `keyrings/${name}`,
    ca: archive.ca === undefined ? undefined : `ca/${name}.pem`,
    keyserverCa: trust.keyserverCa === undefined ? undefined : `ca/${name}-keyservers.pem`,
  };
  const items: Item[] = [];
  for (const [from, to] of [
    [archive.ca, places.ca],
    [trust.keyserverCa, places.keyserverCa],
  ] as const) {
    if (from === undefined || to === undefined) continue;
    items.push({ kind: "file", path: `${folder}/${to}`, data: await readNamed(from, profile) });
  }
  for (const [fingerprint, certificate] of [...seeds.certificates].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const data = Buffer.from(armorCertificates([certificate]), "utf8");
    items.push({ kind: "file", path: `${folder}/${places.keyring}/${fingerprint}.asc`, data });
  }
  if (seeds.loose.length > 0) {
    const data = Buffer.from(armor(writePackets(seeds.loose), "PUBLIC KEY BLOCK"), "utf8");
    items.push({ kind: "file", path: `${folder}/${places.keyring}/revocations.asc`, data });
  }
  const text = relocateProfile((await readNamed(file, profile)).toString("utf8"), file, places);
  // The profile is written last, so that it never exists without its keyring.
  items.push({ kind: "file", path: profileName(name), data: Buffer.from(text, "utf8") });
  return items;
}
