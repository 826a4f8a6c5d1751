/**
 * Finds the possible values for an argument or option, such as the names of profiles, feeds, packages and keys on this machine.
 * Asks no server.
 */
import { listProfiles } from "../../client/profiles/profiles.ts";
import { exportFormats } from "../../stock/export.ts";
import { setupPrograms } from "../../stock/setup-item.ts";
import type { Context } from "../context.ts";
import type { Expected, Suggestion } from "./expected.ts";
import { completionScripts } from "./scripts.ts";

const plain = (words: readonly string[]): Suggestion[] => words.map((word) => ({ word, description: "" }));

async function profileNames(): Promise<Suggestion[]> {
  return plain((await listProfiles()).map(({ name }) => name).sort());
}

async function feedNames(context: Context): Promise<Suggestion[]> {
  const { feeds } = await context.profile();
  return feeds.map(({ name, format }) => ({ word: name, description: format }));
}

async function packageNames(context: Context, start: string): Promise<Suggestion[]> {
  return await context.withClient(async (client) => {
    const { packages } = await client.list({ patterns: [`${start.replaceAll(/[*?]/g, "?")}*`], partial: true });
    return packages.map(({ name, version }) => ({ word: name, description: version }));
  });
}

async function fingerprints(context: Context): Promise<Suggestion[]> {
  const { openArchive } = await import("../../keeper/open-archive.ts");
  return plain(await (await openArchive({ home: context.home })).store.list());
}

/** The function that finds the values for each kind of value. The kinds have the names that the commands' help shows. */
const sources: Readonly<Record<string, (context: Context, start: string) => Suggestion[] | Promise<Suggestion[]>>> = {
  feed: feedNames,
  package: packageNames,
  fingerprint: fingerprints,
  fpr: fingerprints,
  shell: () => plain(Object.keys(completionScripts)),
};

const files = new Set(["file", "dir", "path", "folder", "index", "package-file", "name|file"]);

async function valuesOf({ value = "", option, command }: Expected, context: Context, start: string) {
  const [name] = command;
  if (option === "--profile" || (name === "profile" && value === "name" && option === undefined))
    return await profileNames();
  if (option === "--feed" && value === "name") return await feedNames(context);
  if (option === "--for") return plain(name === "key" ? ["gpg"] : exportFormats);
  if (name === "setup" && value === "program") return plain(setupPrograms);
  return (await sources[value]?.(context, start)) ?? [];
}

/**
 * Returns the words that can complete the line at the cursor.
 * @param start the part of the word that the user has already typed
 * @returns the words, and whether files and folders are possible too
 */
export async function suggestionsFor(
  expected: Expected,
  context: Context,
  start: string,
): Promise<{ readonly words: readonly Suggestion[]; readonly files: boolean }> {
  const typed = start.slice(expected.prefix.length);
  // An error about the profile must not appear while the user is typing a line.
  const values = expected.value === undefined ? [] : await valuesOf(expected, context, typed).catch(() => []);
  const seen = new Set<string>();
  const words = [...expected.words, ...values].filter(({ word }) => {
    if (!word.startsWith(typed) || /[\s\p{Cc}]/u.test(word) || seen.has(word)) return false;
    seen.add(word);
    return true;
  });
  return {
    words: words.map(({ word, description }) => ({ word: `${expected.prefix}${word}`, description })),
    files: expected.value !== undefined && files.has(expected.value),
  };
}
