/** Sets up apt: writes a separate source file in deb822 format, whose Signed-By names the keyring. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Profile } from "../profile/types.ts";
import {
  type Configured,
  contradiction,
  inTarget,
  type SetupKeyring,
  type Terms,
  textFile,
  textsIn,
  written,
} from "./setup-item.ts";

/** Returns the values of a setting: those from the options, else those of the profile's variables with these names. */
function wordsOf(given: readonly string[], { variables }: Profile, names: readonly string[]): string[] {
  const values = given.length > 0 ? given : names.flatMap((name) => variables[name] ?? []);
  const words = values.flatMap((value) => value.split(/[\s,]+/)).filter((word) => word !== "");
  const odd = words.find((word) => !/^[A-Za-z0-9./][A-Za-z0-9._+~/-]*$/.test(word));
  if (odd === undefined) return words;
  throw new FeedkeyError("usage", `"${escapeText(odd)}" can't be a suite or component of apt`, {
    hint: "use only letters, digits and . _ + ~ / -",
  });
}

/** Returns the words in a file, without comments. URLs lose the slash at their end, so that they can be compared. */
function tokens(text: string): Set<string> {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return new Set(lines.flatMap((line) => line.split(/\s+/)).map((word) => word.replace(/(.)\/$/, "$1")));
}

/** Throws if another source names the archive too: apt stops with an error if two sources for one suite name different keyrings. */
async function refuseRivals({ root, profile }: Terms, suites: readonly string[], own: string): Promise<void> {
  const texts = await textsIn(root, "etc/apt/sources.list.d", [".list", ".sources"], own);
  const list = await root.text("etc/apt/sources.list");
  if (list !== undefined) texts.push({ path: "etc/apt/sources.list", text: list });
  for (const { path, text } of texts) {
    const words = tokens(text);
    const same = words.has(profile.archive.url.replace(/\/$/, ""));
    if (!same || !suites.some((suite) => words.has(suite.replace(/(.)\/$/, "$1")))) continue;
    throw contradiction(
      path,
      `names ${profile.archive.url} already`,
      "apt refuses two entries for one suite with different keyrings: remove that entry, or add a line Signed-By with this keyring to it",
    );
  }
}

/** A keyring, with the suites that use it. */
interface Signed extends SetupKeyring {
  readonly suites: readonly string[];
}

/** Returns a suite's path below the archive's URL: the folder itself for a flat repository, else a folder below `dists`. */
function folderOf(suite: string): string {
  return suite.endsWith("/") ? suite.replace(/^(\.\/)+|\/+$/g, "").replace(/^\.$/, "") : `dists/${suite}`;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Returns the suite to which a feed belongs: the suite with the longest path that contains the feed's path. */
function suiteOf(path: string, suites: readonly string[]): string | undefined {
  const above = suites.filter((suite) => isBelow(path, folderOf(suite)));
  return above.reduce<string | undefined>((nearest, suite) => {
    return nearest === undefined || folderOf(suite).length > folderOf(nearest).length ? suite : nearest;
  }, undefined);
}

/**
 * Plans a separate keyring for the feeds of each suite, so that a delegate for these feeds can't sign other feeds. Suites without feeds
 * share one keyring.
 */
function keyringsFor({ profile, only }: Terms, suites: readonly string[]): Signed[] {
  const groups = new Map<string, { feeds: string[]; suites: string[] }>();
  for (const suite of suites) {
    const feeds = profile.feeds.filter(({ path }) => suiteOf(path, suites) === suite).map(({ name }) => name);
    const group = groups.get(feeds.join("+"));
    if (group === undefined) groups.set(feeds.join("+"), { feeds, suites: [suite] });
    else group.suites.push(suite);
  }
  const file = (ending: string) => `etc/apt/keyrings/${profile.name}${ending}.gpg`;
  return [...groups].map(([joined, { feeds, suites: signed }]) => {
    // A profile's name contains no plus sign, so no other profile's keyring has this name.
    const path = file(groups.size === 1 || joined === "" ? "" : `+${joined}`);
    const isAll = feeds.length === 0 || feeds.length === profile.feeds.length;
    return { path, feeds: isAll ? only : feeds, suites: signed };
  });
}

/**
 * Returns apt's configuration.
 * @throws FeedkeyError `usage` if a suite or component is malformed; `bad_config` if another source names the archive
 */
export async function configureApt(terms: Terms): Promise<Configured> {
  const { profile } = terms;
  const suites = wordsOf(terms.suites, profile, ["suite", "suites"]);
  const components = wordsOf(terms.components, profile, ["component", "components"]);
  // A suite with a slash at its end is a flat repository: a folder without components.
  const flat = suites.filter((suite) => suite.endsWith("/")).length;
  if (flat > 0 && (flat < suites.length || components.length > 0)) {
    throw new FeedkeyError("usage", 'a suite that ends in "/" is a folder, and has no components', {
      hint: "give only folders (without --component), or only suites with their components",
    });
  }
  if (suites.length === 0 || (flat === 0 && components.length === 0)) {
    const missing = suites.length === 0 ? "suite" : "component";
    const path = `etc/apt/keyrings/${profile.name}.gpg`;
    const signedBy = `Signed-By: ${inTarget(path)}`;
    const warning = `no source is written, because neither an option nor the profile's variables give a ${missing}`;
    return {
      keyrings: [{ path, feeds: terms.only }],
      items: [{ kind: "export", path }],
      warnings: [`${warning}: give --suite and --component, or add the line ${signedBy} to your own source`],
      byHand: [signedBy],
    };
  }
  const path = `etc/apt/sources.list.d/${profile.name}.sources`;
  await refuseRivals(terms, suites, path);
  const keyrings = keyringsFor(terms, suites);
  const sources = keyrings.map((keyring) => {
    const lines = ["Types: deb", `URIs: ${profile.archive.url}`, `Suites: ${keyring.suites.join(" ")}`];
    if (components.length > 0) lines.push(`Components: ${components.join(" ")}`);
    return [...lines, `Signed-By: ${inTarget(keyring.path)}`].join("\n");
  });
  return {
    keyrings,
    items: [
      ...keyrings.map((keyring) => ({ kind: "export", path: keyring.path }) as const),
      textFile(path, [written("apt", profile.name), sources.join("\n\n")]),
    ],
    warnings: [],
    byHand: [],
  };
}
