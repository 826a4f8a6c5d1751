import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { didYouMean } from "../did-you-mean.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { causeInWords } from "./system-error.ts";

// Ignores relative paths in the variables, as the XDG base directory specification requires.
function baseFolder(variable: `XDG_${string}_HOME`, fallback: string): string {
  const found = process.env[variable];
  return found !== undefined && isAbsolute(found) ? found : join(homedir(), fallback);
}

function chosen(option: string | undefined, variable: string): string | undefined {
  return [option, process.env[variable]].find((path) => path !== undefined && path !== "");
}

/**
 * Returns the absolute path of the folder with the client state: from the option, or else `$FEEDKEY_STATE`, or else
 * `$XDG_STATE_HOME/feedkey`.
 */
export function stateFolder(option?: string): string {
  return resolve(chosen(option, "FEEDKEY_STATE") ?? join(baseFolder("XDG_STATE_HOME", ".local/state"), "feedkey"));
}

/** Returns the absolute path of the key store: from the option, or else `$FEEDKEY_HOME`, or else `$XDG_DATA_HOME/feedkey`. */
export function homeFolder(option?: string): string {
  return resolve(chosen(option, "FEEDKEY_HOME") ?? join(baseFolder("XDG_DATA_HOME", ".local/share"), "feedkey"));
}

/** Returns the name or file of the profile: from the option, or else `$FEEDKEY_PROFILE`; undefined if neither is set. */
export function chosenProfile(option?: string): string | undefined {
  return chosen(option, "FEEDKEY_PROFILE");
}

/** The folder in which feedkey is installed, three levels above this module (dist/src/files/paths.js). */
export const programFolder = resolve(fileURLToPath(new URL("../../..", import.meta.url)));

/**
 * Returns the folders in which feedkey looks for a profile by its name, the first folder first. The current folder is not on
 * this path, because its files may come from anybody.
 */
export function profileSearchPath(): string[] {
  return [
    join(baseFolder("XDG_CONFIG_HOME", ".config"), "feedkey", "profiles"),
    "/etc/feedkey/profiles",
    join(programFolder, "profiles"),
  ];
}

/** Returns the sorted names of the profiles in a folder; an empty array if feedkey can't read the folder. */
export async function profileNamesIn(folder: string): Promise<string[]> {
  const files = await fs.readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === undefined) throw error;
    return [];
  });
  return files.flatMap((file) => (file.endsWith(".ini") ? [file.slice(0, -".ini".length)] : [])).sort();
}

async function profileNames(): Promise<string[]> {
  return (await Promise.all(profileSearchPath().map(profileNamesIn))).flat();
}

/** Returns the files in which feedkey looks for credentials for private archives, in this order, if the profile names no file. */
export function credentialFiles(): string[] {
  return [
    join(baseFolder("XDG_CONFIG_HOME", ".config"), "feedkey", "auth.conf"),
    "/etc/feedkey/auth.conf",
    join(homedir(), ".netrc"),
  ];
}

/**
 * Finds the file of a profile. If the text contains a `/` or ends in `.ini`, it is the path of a file; otherwise it is a name,
 * which feedkey looks for on the search path.
 * @throws FeedkeyError `usage` if the text can be neither a file nor a name; `not_found` if there is no such profile;
 *   `bad_profile` if feedkey can't read a file that it finds. It then does not try the next folder, because a profile from
 *   there would surprise the user
 */
export async function findProfile(nameOrFile: string): Promise<string> {
  const isFile = nameOrFile.includes("/") || nameOrFile.endsWith(".ini");
  if (!isFile && !/^[A-Za-z0-9._-]+$/.test(nameOrFile)) {
    throw new FeedkeyError("usage", `"${nameOrFile}" is not the name of a profile`, {
      hint: "give a name of only letters, digits, dots, hyphens and underscores, or the path of a file, which contains a / or ends in .ini",
    });
  }
  const candidates = isFile
    ? [resolve(nameOrFile)]
    : profileSearchPath().map((folder) => join(folder, `${nameOrFile}.ini`));
  for (const candidate of candidates) {
    if (await isRegularFile(candidate)) return candidate;
  }
  const next = `looked for ${candidates.join(", ")}`;
  throw new FeedkeyError("not_found", `there is no profile "${nameOrFile}"`, {
    details: { profile: nameOrFile, lookedAt: candidates },
    hint: isFile ? next : didYouMean(nameOrFile, await profileNames(), `${next}; "feedkey profile list" shows all`),
  });
}

async function isRegularFile(path: string): Promise<boolean> {
  try {
    if ((await fs.stat(path)).isFile()) return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return false;
    throw new FeedkeyError("bad_profile", `cannot read the profile "${path}": ${causeInWords(error)}`, {
      details: { path },
      cause: error,
    });
  }
  throw new FeedkeyError("bad_profile", `the profile "${path}" is not a plain file`, { details: { path } });
}
