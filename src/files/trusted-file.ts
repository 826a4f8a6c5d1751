/**
 * Reads files that decide whom feedkey trusts: profiles, keyrings, certificate authorities. Anyone who can change such a file
 * could make feedkey trust other keys. So no other user may be able to write to the file or to any folder in its path.
 */
import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { isWithin } from "./folder.ts";
import { programFolder } from "./paths.ts";
import { readChecked } from "./plain-file.ts";

/** How messages name a file, and the error code if feedkey refuses the file. */
interface TrustedUse {
  /** The name of the file in messages, with an article: `the profile`. */
  readonly what: string;
  readonly code: Extract<ErrorCode, "bad_profile" | "bad_config">;
  /** Whether feedkey also refuses the file if other users can read it. */
  readonly isSecret?: boolean;
}

/** Maximum number of symbolic links in a path; Linux has the same limit (path_resolution(7)). */
const MAX_LINKS = 40;

const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o077;
const STICKY = 0o1000;

/** A file that feedkey checks, and who may own it. */
interface Judging {
  /** The path as the caller gave it, for messages. */
  readonly path: string;
  readonly use: TrustedUse;
  /**
   * The user IDs (numbers) that may own the file: root, this user, and for files that were shipped with feedkey, the program's owner.
   */
  readonly owners: ReadonlySet<number>;
}

/** One component of the path to a file. */
interface Step {
  readonly folder: string;
  readonly path: string;
  readonly stat: Stats;
  /** Whether this component is the last: the file itself, or a symbolic link to the file. */
  readonly isLast: boolean;
}

/**
 * Reads a file that no other user can change. Root or this user must own the file and all folders and links in its path, and no
 * other user may write to these. Only above the file's own folder, a folder with the sticky bit, such as /tmp, is allowed:
 * there, only the owner of an entry can replace the entry.
 * @throws FeedkeyError with the code in `use`; the system's error if feedkey can't read the file
 */
export async function readTrustedFile(path: string, use: TrustedUse): Promise<Buffer> {
  const { real, judging } = await judgeWay(path, use, true);
  // With O_NONBLOCK, opening a pipe that somebody put at this path does not wait.
  return await readChecked(real, constants.O_NOFOLLOW | constants.O_NONBLOCK, (stat) => {
    if (!stat.isFile()) throw refuse(judging, "is not a plain file", "put the file itself at that path");
    refuseOpen(stat, judging);
  });
}

/**
 * Returns the names of the files in a folder that no other user can change; undefined if the path is not a folder.
 * @throws as {@link readTrustedFile} does
 */
export async function trustedNames(path: string, use: TrustedUse): Promise<string[] | undefined> {
  const { real, judging } = await judgeWay(path, use, false);
  const stat = await fs.lstat(real);
  if (!stat.isDirectory()) return undefined;
  refuseOpen(stat, judging);
  return await fs.readdir(real);
}

/**
 * Resolves a path as the system does, and checks each folder and symbolic link in it.
 * @param isFile whether the path is that of a file; the exception for the sticky bit then does not apply to the file's own folder
 */
async function judgeWay(path: string, use: TrustedUse, isFile: boolean): Promise<{ real: string; judging: Judging }> {
  const { real, steps } = await follow(path);
  const isOurs = isWithin(programFolder, real);
  const owners = new Set([0, process.geteuid?.() ?? 0]);
  const judging = { path, use, owners };
  // Shipped profiles are in the program's folder. The owner of this folder may own them, because this user can change the
  // program anyway.
  if (isOurs) owners.add((await fs.lstat(programFolder)).uid);
  for (const step of steps) {
    const isAbove = step.folder !== programFolder && isWithin(step.folder, programFolder);
    if (isOurs && isAbove && !step.stat.isSymbolicLink()) continue;
    judgeStep(step, await fs.lstat(step.folder), judging, isFile && step.isLast);
  }
  return { real, judging };
}

/** Resolves the symbolic links in a path. @throws the system's error, such as `ENOENT` or `ELOOP` */
async function follow(path: string): Promise<{ real: string; steps: Step[] }> {
  const steps: Step[] = [];
  let names = split(resolve(path));
  let current: string = sep;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "..") {
      current = dirname(current);
      continue;
    }
    const next = join(current, name);
    const stat = await fs.lstat(next);
    steps.push({ folder: current, path: next, stat, isLast: names.length === 0 });
    if (!stat.isSymbolicLink()) {
      current = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw Object.assign(new Error("too many links"), { code: "ELOOP" });
    const target = await fs.readlink(next);
    if (target.startsWith(sep)) current = sep;
    names = [...split(target), ...names];
  }
  return { real: current, steps };
}

function split(path: string): string[] {
  return path.split(sep).filter((name) => name !== "" && name !== ".");
}

function judgeStep(step: Step, above: Stats, judging: Judging, isStrict: boolean): void {
  const folder = escapeText(step.folder);
  if (!judging.owners.has(above.uid)) {
    const problem = `can be replaced by the owner of the folder "${folder}"`;
    throw refuse(judging, problem, "check the file, then move it to a folder of your own");
  }
  if ((above.mode & OTHERS_WRITE) === 0) return;
  const isSticky = (above.mode & STICKY) !== 0;
  if (isSticky && !isStrict && judging.owners.has(step.stat.uid)) return;
  const problem = `can be replaced: other users can write to the folder "${folder}"`;
  const hint = `run chmod go-w '${folder}', then check the file; or move the file to a folder of your own`;
  throw refuse(judging, problem, hint);
}

function refuseOpen({ uid, mode }: Stats, judging: Judging): void {
  if (!judging.owners.has(uid)) {
    throw refuse(judging, "belongs to another user", "check the file, then use a copy that belongs to you");
  }
  const path = `'${escapeText(judging.path)}'`;
  const others = `other users (mode ${(mode & 0o777).toString(8)})`;
  if (judging.use.isSecret === true && (mode & OTHERS_READ) !== 0) {
    const hint = `run chmod 600 ${path}; if somebody may have read the secret in the file, replace the secret`;
    throw refuse(judging, `is open to ${others}`, hint);
  }
  if ((mode & OTHERS_WRITE) === 0) return;
  throw refuse(
    judging,
    `can be changed by ${others}`,
    `run chmod go-w ${path}, and check whether somebody has changed the file`,
  );
}

function refuse({ path, use }: Judging, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError(use.code, `${use.what} "${escapeText(path)}" ${problem}`, { details: { path }, hint });
}
