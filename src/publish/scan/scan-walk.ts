/** Finds the package files below a folder, only by name and type. No file is opened here. */
import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isPackageName } from "../../packages/file-names.ts";
import type { PublishedFormat } from "../../profile/types.ts";

/** What identifies an unchanged file: size in bytes, times in nanoseconds since 1970. */
export interface FileIdentity {
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  readonly inode: bigint;
}

export interface FoundPackage {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Absolute path of the file itself, links resolved. */
  readonly file: string;
  readonly identity: FileIdentity;
}

/** A file or folder that cannot be scanned. */
export interface BadFile {
  /** Relative to the folder; bytes that are not UTF-8 are shown as `\xNN`. */
  readonly path: string;
  readonly error: FeedkeyError;
}

export interface WalkResult {
  readonly found: FoundPackage[];
  readonly bad: BadFile[];
}

/**
 * All files below the folder with names of packages of the format. Files and folders whose names begin with a dot are skipped.
 * Links to files inside the folder count under the link's name; links to folders inside it are skipped, since their files are
 * found in their own place; links that lead outside are bad.
 * @param onFolder called after each folder with the number of packages found so far
 * @throws FeedkeyError `not_found` if the folder itself is missing or cannot be read
 */
export function findPackages(
  folder: string,
  format: PublishedFormat = "opkg",
  onFolder: (found: number) => void = () => undefined,
): WalkResult {
  const root = realFolder(folder);
  const result: WalkResult = { found: [], bad: [] };
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const entries = list(root, path, result);
    for (const entry of entries) {
      const name = entry.name.toString("utf8");
      if (name.startsWith(".")) continue;
      const relative = path === "" ? name : `${path}/${name}`;
      // A link is classified by its target, whatever its name.
      if (!isPackageName(name, format) && !entry.isDirectory() && !entry.isSymbolicLink()) continue;
      const problem = nameProblem(entry.name, name);
      if (problem !== undefined) {
        const shown = path === "" ? showBytes(entry.name) : `${path}/${showBytes(entry.name)}`;
        report(result, shown, "bad_path", `has a name with ${problem}`);
      } else if (entry.isDirectory()) {
        pending.push(relative);
      } else {
        visit(root, relative, entry, result, format);
      }
    }
    onFolder(result.found.length);
  }
  return result;
}

function realFolder(folder: string): string {
  try {
    const real = realpathSync.native(folder);
    readdirSync(real, { encoding: "buffer" });
    return real;
  } catch (error) {
    throw new FeedkeyError("not_found", `folder "${escapeText(folder)}" cannot be read: ${systemCode(error)}`, {
      details: { path: folder },
      hint: "give the folder that holds the packages",
      cause: error,
    });
  }
}

function list(root: string, path: string, result: WalkResult): Dirent<Buffer>[] {
  try {
    return readdirSync(join(root, path), { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    report(result, path, "not_found", `cannot be read: ${systemCode(error)}`);
    return [];
  }
}

/** Such a name can't be written into an index, or would be read as a different one. */
function nameProblem(bytes: Buffer, name: string): string | undefined {
  if (!Buffer.from(name, "utf8").equals(bytes)) return "bytes that are not UTF-8";
  if (escapeText(name) !== name) return "a control or invisible character";
  // Clients refuse such a path (T12).
  if (name.includes("\\")) return "a backslash";
  return undefined;
}

function showBytes(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return bytes
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function visit(root: string, path: string, entry: Dirent<Buffer>, result: WalkResult, format: PublishedFormat): void {
  const isPackage = isPackageName(path, format);
  try {
    const file = entry.isSymbolicLink() ? realpathSync.native(join(root, path)) : join(root, path);
    const status = lstatSync(file, { bigint: true });
    const wanted = isPackage || status.isDirectory();
    if (!wanted) return;
    if (!isInside(root, file)) {
      report(result, path, "bad_path", "is a symbolic link that leads out of the folder");
    } else if (status.isFile() && isPackage) {
      result.found.push({ path, file, identity: identityOf(status) });
    } else if (!status.isDirectory()) {
      report(result, path, "bad_package", "is not a regular file");
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    if (isPackage) report(result, path, "not_found", `cannot be read: ${systemCode(error)}`);
  }
}

function isInside(root: string, file: string): boolean {
  return file.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** The identity that a bigint stat shows. */
export function identityOf(status: BigIntStats): FileIdentity {
  return { size: status.size, modifiedNs: status.mtimeNs, changedNs: status.ctimeNs, inode: status.ino };
}

/** Whether the file is unchanged between the two observations. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modifiedNs === b.modifiedNs && a.changedNs === b.changedNs && a.inode === b.inode;
}

function report(result: WalkResult, path: string, code: ErrorCode, problem: string): void {
  const error = new FeedkeyError(code, `"${escapeText(path)}" ${problem}`, { details: { path } });
  result.bad.push({ path, error });
}
