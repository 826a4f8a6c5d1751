/** Finds the parts that a profile requests in a suite's Release file. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { FileDigests } from "../digests.ts";
import type { CompressedForm, Part, PartForm, RootContent, Wanted } from "../format.ts";
import type { Release } from "./release.ts";

/** Compressed forms of a list, the best first. This is apt's own order, without forms that feedkey can't read. */
const forms: readonly CompressedForm[] = ["xz", "gz", "zst"];

/**
 * Returns the facts in a Release file, and the requested package lists. If the profile does not set both components and
 * architectures, returns all lists.
 * @throws FeedkeyError `wrong_feed` if the file is for another suite, or lacks a requested component or architecture
 */
export function contentOf(release: Release, wanted: Wanted): RootContent {
  const { suite, components, architectures } = wanted;
  if (suite !== undefined) refuseOtherSuite(release, suite);
  refuseUnlisted("component", components ?? [], release.components);
  refuseUnlisted("architecture", architectures ?? [], release.architectures);
  const folders =
    components === undefined || architectures === undefined
      ? listedFolders(release)
      : components.flatMap((component) => architectures.map((one) => `${component}/binary-${one}`));
  return {
    madeAt: release.date,
    validUntil: release.validUntil,
    identity: { Origin: release.origin, Label: release.label, Codename: release.codename },
    parts: folders.map((folder) => partOf(release, `${folder}/Packages`)),
    beside: besideOf(release, components ?? release.components ?? []),
  };
}

/** Returns the folders with package lists, including folders that have only compressed lists, which clients can't request. */
function listedFolders({ files }: Release): readonly string[] {
  const found = [...files.keys()].map((path) => /^(.+\/binary-[^/]+)\/Packages(\.[0-9a-z]+)?$/.exec(path)?.[1]);
  return [...new Set(found)].filter((folder) => folder !== undefined);
}

/** Returns the components of a suite, and the architectures for which each component has a list. */
export function everythingIn({ components = [], architectures = [], files }: Release) {
  const has = (architecture: string) =>
    components.every((component) => files.has(`${component}/binary-${architecture}/Packages`));
  return { components, architectures: architectures.filter(has) };
}

function refuseOtherSuite({ suite, codename }: Release, wanted: string): void {
  if (wanted === suite || wanted === codename) return;
  const signed = [suite, codename].filter((name) => name !== undefined).map((name) => `"${escapeText(name)}"`);
  throw new FeedkeyError("wrong_feed", `suite "${wanted}" was requested, but ${signed.join(" or ")} was signed`, {
    details: { suite: wanted, signed: [suite ?? null, codename ?? null] },
    hint: 'check "suite" in the profile, which must be the Suite or Codename of the Release file; if "suite" is right, the server has another suite at this path: ask the archive\'s keepers',
  });
}

function refuseUnlisted(what: string, asked: readonly string[], listed: readonly string[] | undefined): void {
  const missing = listed === undefined ? undefined : asked.find((one) => !listed.includes(one));
  if (missing === undefined) return;
  throw new FeedkeyError("wrong_feed", `the suite has no ${what} "${missing}"`, {
    details: { [what]: missing },
    hint: `correct the profile; the suite has: ${(listed ?? []).map(escapeText).join(", ")}`,
  });
}

function partOf({ files, byHash }: Release, path: string): Part {
  const open = files.get(path);
  if (open === undefined) {
    throw new FeedkeyError("wrong_feed", `the suite lists no ${path}`, {
      details: { path },
      hint: "ask the archive's keepers to list the uncompressed Packages in the Release file, even if they publish only compressed ones",
    });
  }
  const found = forms.flatMap((form) => {
    const file = files.get(`${path}.${form}`);
    return file === undefined ? [] : [formOf(`${path}.${form}`, form, file, byHash)];
  });
  return { path, open, forms: [...found, formOf(path, undefined, open, byHash)] };
}

/** Returns the listed files with translated package descriptions. apt requests each of these files. */
function besideOf({ files, byHash }: Release, components: readonly string[]): PartForm[] {
  const isWanted = (path: string) => components.some((one) => path.startsWith(`${one}/i18n/Translation-`));
  const wanted = [...files].filter(([path]) => isWanted(path));
  return wanted.map(([path, file]) => formOf(path, undefined, file, byHash));
}

function formOf(path: string, form: CompressedForm | undefined, file: FileDigests, byHash: boolean): PartForm {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const named = byHash ? [["SHA256", file.sha256] as const, ["SHA512", file.sha512] as const] : [];
  const hashed = named.flatMap(([name, hex]) => (hex === undefined ? [] : [`${folder}/by-hash/${name}/${hex}`]));
  return { form, file, places: [...hashed, path] };
}
