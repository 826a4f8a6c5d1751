/** The files that a setup writes. Their paths are relative to the root of the system that is set up. */
import { FeedkeyError } from "../error.ts";
import type { TargetRoot } from "../files/target-root.ts";
import type { Feed, FeedFormat, Profile } from "../profile/types.ts";
import { fileUrl } from "../refresh/download.ts";
import type { ExportFormat } from "./export.ts";

export const setupPrograms = ["opkg", "pkg_install", "apt", "dnf", "zypper", "pacman"] as const;
/** The stock programs that `setup` supports. The name of each program is also the name of an export format. */
export type SetupProgram = (typeof setupPrograms)[number] & ExportFormat;

export type Item =
  | { readonly kind: "file"; readonly path: string; readonly data: Uint8Array }
  /** feedkey's lines at the beginning or the end of a file that may belong to another program or to the administrator. */
  | { readonly kind: "block"; readonly path: string; readonly text: string; readonly isLast?: true }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** The program's keyring, which the timer keeps up to date. */
  | { readonly kind: "export"; readonly path: string };

/** A keyring for the program, and the feeds that the keyring is for. */
export interface SetupKeyring {
  /** The path of the keyring file; for opkg, of a GnuPG home. */
  readonly path: string;
  /** The names of the feeds that the keyring is for; an empty list stands for all feeds that the program reads. */
  readonly feeds: readonly string[];
  /** Folders, as far as they exist, to which the keyring's export also writes. */
  readonly alsoWrites?: readonly string[];
}

/** What a program needs in addition to the profile: its keyring, and the files of its configuration. */
export interface Configured {
  /** The program's keyrings; several only if the program can use a separate keyring for each feed. */
  readonly keyrings: readonly SetupKeyring[];
  readonly items: readonly Item[];
  /** Warnings for the administrator. */
  readonly warnings: readonly string[];
  /** The lines that the administrator must add by hand, because feedkey can't write the file. */
  readonly byHand: readonly string[];
  /** Checks that the program reads the written files; called after all files are written. */
  readonly check?: () => Promise<void>;
}

/** The settings from which feedkey makes a program's configuration. */
export interface Terms {
  readonly profile: Profile;
  readonly root: TargetRoot;
  /** The names of the feeds to set up; an empty list stands for all feeds. */
  readonly only: readonly string[];
  /** For apt: the suites to set up. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** For pkg_install: the prefix of pkgsrc; undefined stands for the prefixes of all copies of pkg_install in the system. */
  readonly prefix: string | undefined;
  /** For dnf and zypper: whether each package must have a signature of its own. */
  readonly gpgcheck: boolean;
}

/**
 * Returns the profile's feeds in the format that a program reads, and a warning for each feed in another format.
 * @throws FeedkeyError `bad_profile` if the profile has no feed in this format
 */
export function feedsIn(format: FeedFormat, { name, feeds }: Profile) {
  const [ours, others] = [true, false].map((is) => feeds.filter((feed) => (feed.format === format) === is));
  if (ours === undefined || ours.length === 0) {
    throw new FeedkeyError("bad_profile", `profile "${name}" has no feed of the format ${format}`, {
      details: { profile: name },
      hint: `add a section [feed NAME] with format = ${format} and the path of the feed to the profile`,
    });
  }
  const left = (others ?? []).map((feed) => `feed ${feed.name} is left out: its format is ${feed.format}`);
  return { feeds: ours, left };
}

/** Returns a feed's URL without a slash at the end. Percent-encodes characters that could end a word in a configuration file. */
export function feedUrl({ archive }: Profile, { path }: Feed): string {
  return path === "" ? archive.url.replace(/\/$/, "") : fileUrl(archive.url, path).href.replace(/\/$/, "");
}

/** The path of the client's state in the system that is set up. */
export const stateName = "var/lib/feedkey/state";

/** Returns the path of the profile with this name in the system that is set up. */
export function profileName(profile: string): string {
  return `etc/feedkey/profiles/${profile}.ini`;
}

/** Returns a path in the form for files inside the system: with a leading slash. */
export function inTarget(name: string): string {
  return `/${name}`;
}

/** Makes an item for a text file. */
export function textFile(path: string, lines: readonly string[]): Item {
  return { kind: "file", path, data: Buffer.from(`${lines.join("\n")}\n`, "utf8") };
}

/** Returns the first line of each written file. It says that feedkey wrote the file, and how to remove it. */
export function written(program: SetupProgram, profile: string): string {
  return `# Written by feedkey; "feedkey setup ${program} --profile ${profile} --remove" takes it away.`;
}

/** Throws if a profile's name would need quotes, because the name becomes part of file names, unit names and command lines. */
export function refuseName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return;
  throw new FeedkeyError("usage", `a profile with the name "${name}" can't be set up`, {
    details: { name },
    hint: "rename the profile's file: at most 100 letters, digits, dots, hyphens and underscores, with a letter or digit first",
  });
}

/** Makes the error for a configuration that conflicts with the setup and that feedkey did not write. */
export function contradiction(path: string, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", `${inTarget(path)} ${problem}`, { details: { path: inTarget(path) }, hint });
}

/** Reads the files in a folder that have one of the extensions `ends`, except the file with the path `but`. */
export async function textsIn(
  root: TargetRoot,
  folder: string,
  ends: readonly string[],
  but: string,
): Promise<{ readonly path: string; readonly text: string }[]> {
  const found = await root.look(folder);
  if (found.kind !== "folder") return [];
  const texts: { path: string; text: string }[] = [];
  for (const name of found.names) {
    const path = `${folder}/${name}`;
    if (path === but || !ends.some((end) => name.endsWith(end))) continue;
    const text = await root.text(path);
    if (text !== undefined) texts.push({ path, text });
  }
  return texts;
}

// A block consists of feedkey's lines in another program's file, between two marks. The rest of the file stays as it is.

const begin = "# feedkey: begin";
const end = "# feedkey: end";

interface Divided {
  /** feedkey's lines including the marks; undefined if the file has no block. */
  readonly block: string | undefined;
  /** All other lines, unchanged. */
  readonly rest: string;
}

/** Makes a block of lines with its marks. */
export function makeBlock(note: string, lines: readonly string[]): string {
  return [`${begin} (${note})`, ...lines, end, ""].join("\n");
}

/**
 * Splits a file into feedkey's block and the rest.
 * @returns undefined if the marks are not one pair, because somebody has changed the block
 */
export function divide(text: string): Divided | undefined {
  const marks = text.match(/^# feedkey: (?:begin|end)\b.*$/gm) ?? [];
  if (marks.length === 0) return { block: undefined, rest: text };
  const found = /^# feedkey: begin\b.*\n(?:[^\n]*\n)*?# feedkey: end\n/m.exec(text);
  if (marks.length !== 2 || found === null) return undefined;
  const [block] = found;
  return { block, rest: text.slice(0, found.index) + text.slice(found.index + block.length) };
}
