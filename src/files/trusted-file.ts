/**
 * Files that decide whom to trust: profiles, keyrings, certificate authorities. Whoever can change one, or put another in
 * its place, decides in the user's stead; so nobody else may write to it, or to any folder on the way to it.
 */
import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { type ErrorCode, FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { programFolder } from "./paths.ts";

/** How messages call a file, and what a refusal of it is. */
export interface TrustedUse {
  /** With its article: `the profile`. */
  readonly what: string;
  readonly code: Extract<ErrorCode, "bad_profile" | "bad_config">;
  /** Nor may others read it. */
  readonly isSecret?: boolean;
}

/** As many links as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o077;
const STICKY = 0o1000;

/** A file that is being judged. */
interface Judging {
  /** As it was given, for messages. */
  readonly path: string;
  readonly use: TrustedUse;
  /** Users who may change it: root, this one, and for shipped files the program's owner. */
  readonly owners: ReadonlySet<number>;
}

/** One name on the way to a file. */
interface Step {
  readonly folder: string;
  readonly path: string;
  readonly stat: Stats;
  /** It names the file itself, or a link to it, and not a folder further up. */
  readonly isLast: boolean;
}

/**
 * Reads a file that nobody else can change: owned by root or this user, as are all folders and links on the way to it,
 * and writable for neither group nor world. A folder with the sticky bit, such as /tmp, will do further up, where only
 * the owner of what lies in it can exchange it.
 * @throws FeedkeyError with the code of its use; what the system says where it can't be read
 */
export async function readTrustedFile(path: string, use: TrustedUse): Promise<Buffer> {
  const { real, judging } = await judgeWay(path, use, true);
  // O_NONBLOCK: opening a pipe that somebody put here must not hang.
  const handle = await fs.open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    // Asked of the open file, not of the name: what is checked is what is read.
    const stat = await handle.stat();
    if (!stat.isFile()) throw refuse(judging, "is not a plain file", "put the file itself there");
    refuseOpen(stat, judging);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * The names in a folder to which nobody else can add any; undefined for what is no folder.
 * @throws as {@link readTrustedFile}
 */
export async function trustedNames(path: string, use: TrustedUse): Promise<string[] | undefined> {
  const { real, judging } = await judgeWay(path, use, false);
  const stat = await fs.lstat(real);
  if (!stat.isDirectory()) return undefined;
  refuseOpen(stat, judging);
  return await fs.readdir(real);
}

/**
 * Follows a path as the system does, and judges each folder and link on the way.
 * @param isFile its own folder may not be one with the sticky bit either
 */
async function judgeWay(path: string, use: TrustedUse, isFile: boolean): Promise<{ real: string; judging: Judging }> {
  const { real, steps } = await follow(path);
  const isOurs = real === programFolder || real.startsWith(programFolder + sep);
  const owners = new Set([0, process.geteuid?.() ?? 0]);
  const judging = { path, use, owners };
  // Shipped profiles lie in the program's own folder: whoever can write there, or above, can change the program.
  if (isOurs) owners.add((await fs.lstat(programFolder)).uid);
  for (const step of steps) {
    if (isOurs && !step.stat.isSymbolicLink() && isAbove(step.folder, programFolder)) continue;
    judgeStep(step, await fs.lstat(step.folder), judging, isFile && step.isLast);
  }
  return { real, judging };
}

function isAbove(folder: string, below: string): boolean {
  return folder !== below && below.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** @throws what the system says: `ENOENT`, `ELOOP` and the like */
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
    const problem = `can be exchanged by the owner of the folder "${folder}"`;
    throw refuse(judging, problem, "move it to a folder of your own, once you have looked at it");
  }
  if ((above.mode & OTHERS_WRITE) === 0) return;
  const isSticky = (above.mode & STICKY) !== 0;
  if (isSticky && !isStrict && judging.owners.has(step.stat.uid)) return;
  const problem = `can be exchanged: other users can write to the folder "${folder}"`;
  throw refuse(
    judging,
    problem,
    `chmod go-w '${folder}', then look at what is in it; or move it to a folder of your own`,
  );
}

function refuseOpen({ uid, mode }: Stats, judging: Judging): void {
  if (!judging.owners.has(uid)) {
    throw refuse(judging, "belongs to another user", "make a copy of your own, once you have looked at it");
  }
  if (judging.use.isSecret === true && (mode & OTHERS_READ) !== 0) {
    const problem = `is open to other users (mode ${(mode & 0o777).toString(8)})`;
    throw refuse(
      judging,
      problem,
      `chmod 600 '${escapeText(judging.path)}', and think about whether somebody has read it`,
    );
  }
  if ((mode & OTHERS_WRITE) === 0) return;
  const problem = `can be changed by other users (mode ${(mode & 0o777).toString(8)})`;
  throw refuse(
    judging,
    problem,
    `chmod go-w '${escapeText(judging.path)}', and look at whether somebody has changed it`,
  );
}

function refuse({ path, use }: Judging, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError(use.code, `${use.what} "${escapeText(path)}" ${problem}`, { details: { path }, hint });
}
