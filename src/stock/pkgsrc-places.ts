/**
 * Finds the paths of pkg_install's and pkgin's files in a system. The programs from pkgsrc are below a prefix; NetBSD's own pkg_install is
 * not.
 */
import { dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { findProgram, runProgram } from "../files/programs.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { inTarget } from "./setup-item.ts";

/**
 * A prefix, as a path below the root without the leading slash. The empty string stands for NetBSD's base system, whose files are in /etc.
 */
export type Prefix = string;

/** The usual prefixes of pkgsrc on NetBSD, Linux, SmartOS, macOS and other systems. */
export const usualPrefixes: readonly Prefix[] = ["usr/pkg", "opt/pkg", "opt/local", "usr/local"];

/** Returns the path of a file below a prefix. */
export function below(prefix: Prefix, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

function adminOf(prefix: Prefix): string {
  return prefix === "" ? "usr/sbin/pkg_admin" : `${prefix}/sbin/pkg_admin`;
}

/**
 * Parses a prefix that the user gave.
 * @throws FeedkeyError `usage` if the path is not absolute, or not in its simplest form
 */
function parsePrefix(text: string): Prefix {
  if (/^\/$|^(\/(?!\.{1,2}(\/|$))[^/\s;]+)+\/?$/.test(text)) return text.replace(/^\/|\/$/g, "");
  throw new FeedkeyError("usage", `"${text}" can't be the prefix of pkgsrc`, {
    hint: "give an absolute path such as /usr/pkg, or / for the pkg_install of NetBSD's base",
  });
}

/** Finds pkg_admin on the search path, but only if the root is that of the running system. */
function adminOnPath(root: TargetRoot): string | undefined {
  return root.isOurs ? findProgram("pkg_admin") : undefined;
}

/**
 * Finds the prefixes of all copies of pkg_install in a system. Each copy reads the configuration below its own prefix.
 * @param given the prefix that the caller chose, if any
 * @returns an empty list if the system has no pkg_install
 * @throws FeedkeyError `usage` if the given prefix is malformed
 */
export async function prefixesOf(root: TargetRoot, given: string | undefined): Promise<Prefix[]> {
  if (given !== undefined) return [parsePrefix(given)];
  const found = new Set<Prefix>();
  for (const prefix of ["", ...usualPrefixes]) if (await root.exists(adminOf(prefix))) found.add(prefix);
  const admin = adminOnPath(root);
  if (admin !== undefined && admin !== inTarget(adminOf(""))) found.add(dirname(dirname(admin)).slice(1));
  return [...found];
}

/** Finds every pkg_admin that feedkey can run: none if the system is under installation. */
export async function askableAdmins(root: TargetRoot, prefixes: readonly Prefix[]): Promise<string[]> {
  if (!root.isOurs) return [];
  const all = new Set<string>();
  for (const prefix of prefixes) if (await root.exists(adminOf(prefix))) all.add(inTarget(adminOf(prefix)));
  const admin = adminOnPath(root);
  return [...all, ...(admin === undefined || all.has(admin) ? [] : [admin])];
}

/**
 * Checks that pkg_admin reports the values that setup wrote. pkg_install silently ignores a pkg_install.conf in the wrong place, and would
 * then install unsigned packages.
 * @param admins the paths of pkg_admin
 * @param wanted the written values, by variable
 * @throws FeedkeyError `bad_config` if pkg_admin reports another value
 */
export async function refuseIgnored(
  admins: readonly string[],
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  for (const admin of admins) {
    for (const [name, value] of Object.entries(wanted)) {
      const { status, stdout } = await runProgram(admin, ["config-var", name]);
      const said = stdout.toString("utf8").trim();
      if (status === 0 && said === value) continue;
      const message = `${admin} does not read what setup wrote: it reports ${name}="${escapeText(said)}", not "${value}"`;
      throw new FeedkeyError("bad_config", `${message}; packages are NOT verified`, {
        details: { program: admin, name, value: said, wanted: value },
        hint: "that program reads another pkg_install.conf: give the prefix of the program with --prefix, or undo the setup with --remove",
      });
    }
  }
}
