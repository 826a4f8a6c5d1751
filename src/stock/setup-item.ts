/** The files that a setup writes below a root. Paths are those in that system, without the leading slash. */
import { FeedkeyError } from "../error.ts";
import type { TargetRoot } from "../files/target-root.ts";
import type { Feed, Profile } from "../profile/types.ts";
import { fileUrl } from "../refresh/download.ts";
import type { ExportFormat } from "./export.ts";

export const setupPrograms = ["opkg", "pkg_install", "apt", "dnf", "zypper", "pacman"] as const;
/** The programs that can be set up; each is an export format too. */
export type SetupProgram = (typeof setupPrograms)[number] & ExportFormat;

export type Item =
  | { readonly kind: "file"; readonly path: string; readonly data: Uint8Array }
  /** Lines at the head or the end of a file that may be somebody else's. */
  | { readonly kind: "block"; readonly path: string; readonly text: string; readonly isLast?: true }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** The program's keyring, which the timer keeps current. */
  | { readonly kind: "export"; readonly path: string };

/** A keyring of the program, and the feeds that it is for. */
export interface SetupKeyring {
  /** A file; for opkg a GnuPG home. */
  readonly path: string;
  /** Names of feeds; all that the program reads if there are none. */
  readonly feeds: readonly string[];
  /** Folders that its export writes to as well, if they are there. */
  readonly alsoWrites?: readonly string[];
}

/** What a program needs in addition to the profile: its keyring, and the files of its configuration. */
export interface Configured {
  /** Several only if the program can use one for each feed. */
  readonly keyrings: readonly SetupKeyring[];
  readonly items: readonly Item[];
  /** Warnings for the administrator. */
  readonly warnings: readonly string[];
  /** Lines to add by hand if no file could be written. */
  readonly byHand: readonly string[];
  /** Checks at the end that the program reads the files. */
  readonly check?: () => Promise<void>;
}

/** What the configuration of each program is made from. */
export interface Terms {
  readonly profile: Profile;
  readonly root: TargetRoot;
  /** Names of the feeds to set up; all if there are none. The profile has no others then. */
  readonly only: readonly string[];
  /** For apt. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** For pkg_install: the prefix of pkgsrc in that system. */
  readonly prefix: string | undefined;
  /** For dnf and zypper: require a signature on each package too. */
  readonly gpgcheck: boolean;
}

/** The URL of a feed, without a slash at the end. Characters that could end a word are escaped. */
export function feedUrl({ archive }: Profile, { path }: Feed): string {
  return path === "" ? archive.url.replace(/\/$/, "") : fileUrl(archive.url, path).href.replace(/\/$/, "");
}

/** The client's state in that system. */
export const stateName = "var/lib/feedkey/state";

/** The path of a profile in that system, by its name. */
export function profileName(profile: string): string {
  return `etc/feedkey/profiles/${profile}.ini`;
}

/** A path as it is written in that system's own files. */
export function inTarget(name: string): string {
  return `/${name}`;
}

/** A text file. */
export function textFile(path: string, lines: readonly string[]): Item {
  return { kind: "file", path, data: Buffer.from(`${lines.join("\n")}\n`, "utf8") };
}

/** The first line of what is written, for anyone who finds it. */
export function written(program: SetupProgram, profile: string): string {
  return `# Written by feedkey; "feedkey setup ${program} --profile ${profile} --remove" takes it away.`;
}

/** A profile's name goes into the names of units and files, and into command lines: so it must not need quoting. */
export function refuseName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return;
  throw new FeedkeyError("usage", `a profile called "${name}" can't be set up`, {
    details: { name },
    hint: "give its file a name of letters, digits, dots, hyphens and underscores, at most 100 of them",
  });
}

/** A configuration that is not feedkey's and conflicts. */
export function contradiction(path: string, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", `${inTarget(path)} ${problem}`, { details: { path: inTarget(path) }, hint });
}

/** The files of a folder with one of these extensions, except one file. */
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

// A block: our lines in another program's file, between two marks. They come first, so that the rest stays as it is.

const begin = "# feedkey: begin";
const end = "# feedkey: end";

export interface Divided {
  /** Our lines with their marks; undefined if there are none. */
  readonly block: string | undefined;
  /** All others, exactly as they are. */
  readonly rest: string;
}

/** A block of lines, with its marks. */
export function makeBlock(note: string, lines: readonly string[]): string {
  return [`${begin} (${note})`, ...lines, end, ""].join("\n");
}

/**
 * Takes a file apart.
 * @returns undefined if the marks are not a pair: somebody has changed them
 */
export function divide(text: string): Divided | undefined {
  const marks = text.match(/^# feedkey: (?:begin|end)\b.*$/gm) ?? [];
  if (marks.length === 0) return { block: undefined, rest: text };
  const found = /^# feedkey: begin\b.*\n(?:[^\n]*\n)*?# feedkey: end\n/m.exec(text);
  if (marks.length !== 2 || found === null) return undefined;
  const [block] = found;
  return { block, rest: text.slice(0, found.index) + text.slice(found.index + block.length) };
}
