/** Sets up pkgsrc's pkg_install: writes a keyring, variables in pkg_install.conf, and pkgin's list of repositories. */
import { findProgram } from "../files/programs.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { askableAdmins, below, type Prefix, prefixesOf, refuseIgnored, usualPrefixes } from "./pkgsrc-places.ts";
import {
  type Configured,
  contradiction,
  divide,
  feedUrl,
  type Item,
  inTarget,
  makeBlock,
  type Terms,
} from "./setup-item.ts";

/**
 * Returns the lines in a file that feedkey did not write.
 * @throws FeedkeyError `bad_config` if feedkey's marks are not one pair
 */
async function restOf(root: TargetRoot, path: string): Promise<string> {
  const divided = divide((await root.text(path)) ?? "");
  if (divided !== undefined) return divided.rest;
  throw contradiction(
    path,
    "has one of feedkey's two marks without the other, or more than one pair",
    "remove the marks and the lines between them",
  );
}

/**
 * Returns all values of a variable in a file. pkg_install joins several lines for one variable into one value, so a second line would make
 * the value wrong.
 */
function valuesOf(name: string, text: string): string[] {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}=`));
  return lines.map((line) => line.slice(name.length + 1));
}

/**
 * Returns the lines for the required variables that the file does not have yet.
 * @throws FeedkeyError `bad_config` if the administrator's lines conflict
 */
function neededLines(path: string, rest: string, needed: Readonly<Record<string, string>>): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(needed)) {
    const said = valuesOf(name, rest);
    const other = said.find((one) => one !== value) ?? (said.length > 1 ? said[1] : undefined);
    if (other !== undefined) {
      const problem = `says ${name}=${other}, but there must be only one value`;
      throw contradiction(path, problem, `remove that line: it must be ${name}=${value}`);
    }
    if (said.length === 0) lines.push(`${name}=${value}`);
  }
  return lines;
}

/** Finds gpg in the system, first below the prefix. Some builds of pkg_install run gpg to verify signatures. */
async function gpgOf(root: TargetRoot, prefix: Prefix): Promise<string | undefined> {
  const prefixes = new Set([...(prefix === "" ? [] : [prefix]), ...usualPrefixes, "usr"]);
  for (const one of prefixes) {
    for (const name of ["gpg2", "gpg"]) {
      const path = below(one, `bin/${name}`);
      if (await root.exists(path)) return inTarget(path);
    }
  }
  return root.isOurs ? findProgram("gpg") : undefined;
}

interface File {
  readonly items: readonly Item[];
  readonly warnings: readonly string[];
}

function block(path: string, note: string, lines: readonly string[]): Item[] {
  return lines.length === 0 ? [] : [{ kind: "block", path, text: makeBlock(note, lines) }];
}

async function configFile(
  root: TargetRoot,
  prefix: Prefix,
  note: string,
  needed: Readonly<Record<string, string>>,
  urls: readonly string[],
): Promise<File> {
  const path = below(prefix, "etc/pkg_install.conf");
  const rest = await restOf(root, path);
  const lines = neededLines(path, rest, needed);
  const [gpg, packages] = [await gpgOf(root, prefix), urls.join(";")];
  if (gpg !== undefined && valuesOf("GPG", rest).length === 0) lines.push(`GPG=${gpg}`);
  const [said] = valuesOf("PKG_PATH", rest);
  if (said === undefined && packages !== "") lines.push(`PKG_PATH=${packages}`);
  const elsewhere = said !== undefined && packages !== "" && said !== packages;
  const warnings = elsewhere
    ? [`${inTarget(path)} says PKG_PATH=${said}: pkg_add looks there, not in ${packages}`]
    : [];
  return { items: block(path, note, lines), warnings };
}

/** Returns pkgin's list of repositories, if pkgin is installed. */
async function repositories(root: TargetRoot, prefix: Prefix, note: string, urls: readonly string[]): Promise<File> {
  if (urls.length === 0 || !(await root.exists(below(prefix, "bin/pkgin")))) return { items: [], warnings: [] };
  const path = below(prefix, "etc/pkgin/repositories.conf");
  const there = (await restOf(root, path)).split("\n").map((line) => line.trim().replace(/\/$/, ""));
  const others = there.filter((line) => line !== "" && !line.startsWith("#") && !urls.includes(line));
  return {
    items: block(
      path,
      note,
      urls.filter((url) => !there.includes(url)),
    ),
    warnings: others.map(
      (other) => `${inTarget(path)} has ${other} too: packages from there must be signed by the same keys`,
    ),
  };
}

/**
 * Returns pkg_install's configuration.
 * @throws FeedkeyError `bad_config` if the administrator's lines conflict, or feedkey's marks are broken; `usage` if the prefix is
 * malformed
 */
export async function configurePkgInstall({ profile, root, only, prefix }: Terms): Promise<Configured> {
  const keyring = `etc/feedkey/keyrings/${profile.name}.gpg`;
  const needed = { VERIFIED_INSTALLATION: "always", GPG_KEYRING_VERIFY: inTarget(keyring) };
  const feeds = profile.feeds.filter(({ format }) => format === "pkgsrc");
  const urls = feeds.map((feed) => feedUrl(profile, feed));
  const note = `written by setup pkg_install --profile ${profile.name}; --remove takes it away`;
  const found = await prefixesOf(root, prefix);
  const warnings =
    found.length > 0
      ? []
      : [
          "no pkg_install is found there, so setup writes /etc/pkg_install.conf, which NetBSD's own pkg_install reads; " +
            "pkgsrc's pkg_install reads only PREFIX/etc/pkg_install.conf: give the prefix with --prefix",
        ];
  if (urls.length === 0) warnings.push("no feed of the profile has the format pkgsrc, so PKG_PATH is not written");
  const files: File[] = [];
  for (const one of found.length === 0 ? [""] : found) {
    files.push(await configFile(root, one, note, needed, urls), await repositories(root, one, note, urls));
  }
  const admins = await askableAdmins(root, found);
  return {
    keyrings: [{ path: keyring, feeds: only }],
    items: [{ kind: "export", path: keyring }, ...files.flatMap(({ items }) => items)],
    warnings: [...warnings, ...files.flatMap((file) => file.warnings)],
    byHand: [],
    check: () => refuseIgnored(admins, needed),
  };
}
