/**
 * A folder for copies of secret keys. Only the present user can read the folder. feedkey removes it at the end of the run, or, if
 * the run was killed, in the next run.
 */

import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { givenBackAtExit } from "../files/cleanup-at-exit.ts";
import { endPrograms } from "../files/programs.ts";
import { isAlive } from "../files/temporary-name.ts";

/** Returns the session's folder in memory (XDG base directory specification), if it exists, else the folder for temporary files. */
function place(): string {
  const runtime = process.env.XDG_RUNTIME_DIR ?? "";
  try {
    const { uid, mode } = statSync(runtime);
    if (uid === process.geteuid?.() && (mode & 0o077) === 0) return runtime;
  } catch {
    // The session has no usable folder.
  }
  return tmpdir();
}

const name = "feedkey-rehearsal-";

/** Removes the folders of killed runs, which contain copies of secret keys. */
function removeLeftovers(parent: string): void {
  for (const entry of readdirSync(parent)) {
    const pid = new RegExp(`^${name}(\\d+)-`).exec(entry)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(parent, entry);
    const status = lstatSync(folder, { throwIfNoEntry: false });
    if (status?.isDirectory() === true && status.uid === process.geteuid?.()) remove(folder);
  }
}

function make(): string {
  try {
    removeLeftovers(place());
    // mkdtemp(3) makes the folder with mode 0700.
    return mkdtempSync(join(place(), `${name}${process.pid}-`));
  } catch (cause) {
    throw new FeedkeyError("output", `no folder can be made in ${escapeText(place())}`, {
      cause,
      hint: "the rehearsal needs a private folder for a copy: set TMPDIR to a folder that you can write to",
    });
  }
}

function remove(folder: string): void {
  // End the programs first: they could write files into the folder while it is being removed.
  endPrograms();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Gives an action a private folder, and removes the folder afterwards, even if the action fails or a signal ends the run.
 * @throws FeedkeyError `output` if the folder can't be made; what the action throws
 */
export async function withPrivateFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = make();
  const forget = givenBackAtExit(() => remove(folder));
  try {
    return await action(folder);
  } finally {
    forget();
    remove(folder);
  }
}
