import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { causeInWords, outputError } from "./system-error.ts";

/**
 * Syncs a folder: only then does a rename in the folder survive a power failure.
 * @throws FeedkeyError `output` if the folder can't be synced
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Some network file systems can't sync folders. This is not an error, because feedkey can do nothing about it.
    if (systemCode(error) === "EINVAL" || systemCode(error) === "ENOTSUP") return;
    throw outputError(error, folder);
  }
}

/**
 * Makes a folder and its missing parents, and syncs them. Does not change an existing folder.
 * @param mode the exact mode of new folders: a strict umask must not keep programs of other users from reading them
 * @throws FeedkeyError `output` if the folder can't be made
 */
export async function ensureFolder(folder: string, mode: number): Promise<void> {
  const path = resolve(folder);
  try {
    for (const made of await makeMissing(path, mode)) {
      await fs.chmod(made, mode).catch((error: unknown) => {
        // These codes mean that the file system has no modes.
        if (systemCode(error) !== "EPERM" && systemCode(error) !== "ENOTSUP") throw error;
      });
      await syncFolder(dirname(made));
    }
  } catch (error) {
    throw outputError(error, path);
  }
}

/**
 * Makes a folder and its missing parents. Replaces Node's recursive mkdir, which never returns if the system answers ENOENT
 * below an existing folder, as in /proc.
 * @returns the new folders, the deepest first
 */
async function makeMissing(path: string, mode: number): Promise<string[]> {
  try {
    await fs.mkdir(path, { mode });
    return [path];
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) {
      if (await isFolder(path)) return [];
      throw error;
    }
  }
  const above = await makeMissing(dirname(path), mode);
  try {
    await fs.mkdir(path, { mode });
  } catch (error) {
    // Another run may have made the folder meanwhile.
    if (!(await isFolder(path))) throw error;
  }
  return [path, ...above];
}

async function isFolder(path: string): Promise<boolean> {
  const stat = await fs.stat(path).catch(() => undefined);
  return stat?.isDirectory() === true;
}

/** Tells whether `path` is `root` or below `root`. Compares only the texts of these absolute paths, and follows no symbolic links. */
export function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function enter(folder: string): Promise<string> {
  try {
    await fs.mkdir(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  return fs.realpath(folder);
}

/**
 * Returns the real path of a folder at or below `root`, and makes the folder if it is missing. Refuses symbolic links below
 * `root` that lead out of `root`: otherwise anyone who can make a link there could choose where feedkey writes files.
 * @throws FeedkeyError `bad_path` if the folder is outside `root`; `output` if the folder can't be made
 */
export async function folderWithin(root: string, folder: string): Promise<string> {
  const steps = relative(resolve(root), resolve(folder)).split(sep);
  if (steps[0] === "..") throw outside(root, folder);
  await ensureFolder(root, 0o777 & ~process.umask());
  const realRoot = await fs.realpath(root);
  let current = realRoot;
  for (const step of steps) {
    if (step === "") continue;
    const next = join(current, step);
    try {
      current = await enter(next);
    } catch (error) {
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ELOOP") throw outside(root, folder);
      throw outputError(error, next);
    }
    if (!isWithin(realRoot, current)) throw outside(root, folder);
  }
  return current;
}

function outside(root: string, folder: string): FeedkeyError {
  return new FeedkeyError("bad_path", `"${folder}" leads out of the output folder "${root}"`, {
    details: { folder, root },
    hint: "find the symbolic link on the way and remove it, or choose another output folder",
  });
}

/**
 * Refuses a folder that other users can write to, because they could replace any file in the folder. Accepts a missing folder.
 * @param refuse makes the error from a description of the problem and a hint
 * @throws the error that `refuse` makes; FeedkeyError `output` if a parent of the folder is a file
 */
export async function refuseWritableByOthers(
  folder: string,
  refuse: (problem: string, hint: string) => FeedkeyError,
): Promise<void> {
  let mode: number;
  try {
    mode = (await fs.stat(folder)).mode;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    // The path leads through a file, so nothing can exist there. This is only an error, and not a danger.
    if (systemCode(error) === "ENOTDIR") throw outputError(error, folder);
    throw refuse(
      `cannot check the folder "${folder}": ${causeInWords(error)}`,
      "run feedkey as the user that owns the folder",
    );
  }
  if ((mode & 0o022) === 0) return;
  const hint = `run chmod go-w '${folder}' (or mount a FAT or exFAT stick with umask=077), then check the files in it`;
  throw refuse(`other users can write to the folder "${folder}"`, hint);
}
