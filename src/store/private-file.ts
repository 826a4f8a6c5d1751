import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { refuseWritableByOthers } from "./folder.ts";
import { causeInWords } from "./system-error.ts";

/**
 * Reads a file with a secret key. It must be a plain file, no symbolic link, that belongs to this user or root and
 * that nobody else can read or write, in a folder that nobody else can write to. Undefined if there is none.
 * @throws FeedkeyError `bad_config`
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  await refuseWritableByOthers(dirname(path), (problem, hint) => refuse(path, problem, hint));
  let handle: fs.FileHandle;
  try {
    // O_NONBLOCK: opening a pipe that somebody put here must not hang.
    handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw refuse(path, `cannot read the secret key "${path}": ${causeInWords(error)}`, "run as the user that owns it");
  }
  try {
    // Asked of the open file, not of the name: what is checked is what is read.
    const { mode, uid, isFile } = await inspect(handle);
    if (!isFile) throw refuse(path, `the secret key "${path}" is not a plain file`, "put the key file itself there");
    if (uid !== 0 && uid !== process.geteuid?.()) {
      throw refuse(path, `the secret key "${path}" belongs to another user`, `chown it to the user that signs`);
    }
    if ((mode & 0o077) !== 0) {
      throw refuse(
        path,
        `the secret key "${path}" is open to other users (mode ${(mode & 0o777).toString(8)})`,
        `chmod 600 '${path}', and think about whether somebody has read it`,
      );
    }
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

async function inspect(handle: fs.FileHandle): Promise<{ mode: number; uid: number; isFile: boolean }> {
  const stat = await handle.stat();
  return { mode: stat.mode, uid: stat.uid, isFile: stat.isFile() };
}

function refuse(path: string, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", problem, { details: { path }, hint });
}
