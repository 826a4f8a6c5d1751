/** Where pkg_install and pkgin of a system have their files: pkgsrc has a prefix, NetBSD's own pkg_install has none. */
import { dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { findProgram, runProgram } from "../files/programs.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { inTarget } from "./setup-item.ts";

/** Below the root, without the leading slash; "" means NetBSD's base, whose files are in /etc. */
export type Prefix = string;

/** Prefixes of pkgsrc on NetBSD and Linux, on SmartOS and macOS, and as others choose them. */
export const usualPrefixes: readonly Prefix[] = ["usr/pkg", "opt/pkg", "opt/local", "usr/local"];

/** A file below a prefix. */
export function below(prefix: Prefix, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

function adminOf(prefix: Prefix): string {
  return prefix === "" ? "usr/sbin/pkg_admin" : `${prefix}/sbin/pkg_admin`;
}

/** @throws FeedkeyError `usage`: a path that is not absolute, or not in its simplest form */
function parsePrefix(text: string): Prefix {
  if (/^\/$|^(\/(?!\.{1,2}(\/|$))[^/\s;]+)+\/?$/.test(text)) return text.replace(/^\/|\/$/g, "");
  throw new FeedkeyError("usage", `"${text}" can't be the prefix of pkgsrc`, {
    hint: "give an absolute path such as /usr/pkg, or / for the pkg_install of NetBSD's base",
  });
}

/** The pkg_admin that a shell of this system would find, where the system is this one. */
function adminOnPath(root: TargetRoot): string | undefined {
  return root.isOurs ? findProgram("pkg_admin") : undefined;
}

/**
 * The prefixes of every pkg_install of a system: each reads the file below its own.
 * @param given what the caller says
 * @returns none if no pkg_install is found
 * @throws FeedkeyError `usage`
 */
export async function prefixesOf(root: TargetRoot, given: string | undefined): Promise<Prefix[]> {
  if (given !== undefined) return [parsePrefix(given)];
  const found = new Set<Prefix>();
  for (const prefix of ["", ...usualPrefixes]) if (await root.exists(adminOf(prefix))) found.add(prefix);
  const admin = adminOnPath(root);
  if (admin !== undefined && admin !== inTarget(adminOf(""))) found.add(dirname(dirname(admin)).slice(1));
  return [...found];
}

/** Every pkg_admin that can be asked: those of this very system. */
export async function askableAdmins(root: TargetRoot, prefixes: readonly Prefix[]): Promise<string[]> {
  if (!root.isOurs) return [];
  const all = new Set<string>();
  for (const prefix of prefixes) if (await root.exists(adminOf(prefix))) all.add(inTarget(adminOf(prefix)));
  const admin = adminOnPath(root);
  return [...all, ...(admin === undefined || all.has(admin) ? [] : [admin])];
}

/**
 * Checks that the written values are in force: a pkg_install.conf in the wrong place is silently ignored, and unsigned packages
 * are installed.
 * @param admins paths of pkg_admin
 * @param wanted values by variable
 * @throws FeedkeyError `bad_config`
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
      const message = `${admin} does not read what setup wrote: ${name} is "${escapeText(said)}" for it, not "${value}"`;
      throw new FeedkeyError("bad_config", `${message}; packages are NOT verified`, {
        details: { program: admin, name, value: said, wanted: value },
        hint: "its pkg_install.conf is elsewhere: give its prefix with --prefix, or undo the setup with --remove",
      });
    }
  }
}
