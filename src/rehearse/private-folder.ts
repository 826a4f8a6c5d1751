/**
 * A private folder for copies of secret keys, which only the present user can read. feedkey removes the folder at the end of the run. If
 * the run was killed, the next run removes it.
 */

import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { givenBackAtExit } from "../files/cleanup-at-exit.ts";
import { endPrograms } from "../files/programs.ts";
import { isAlive } from "../files/temporary-name.ts";

/**
 * Returns where to make the private folder: in the session's runtime folder in memory (XDG_RUNTIME_DIR) if it exists, else in the folder
 * for temporary files.
 */
function place(): string {
  const runtime = process.env.XDG_RUNTIME_DIR ?? "";
  try {
    const { uid, mode } = statSync(runtime);
    if (uid === process.geteuid?.() && (mode & 0o077) === 0) return runtime;
  } catch {
    // The session has no runtime folder that can be used.
  }
  return tmpdir();
}

const name = "feedkey-rehearsal-";

/** Removes the private folders of killed runs, because they contain copies of secret keys. */
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
  // The programs must end first, because they could write files into the folder while feedkey removes it.
  endPrograms();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Runs an action with a private folder, and removes the folder afterwards, even if the action fails or a signal ends the run.
 * @throws FeedkeyError `output` if the folder can't be made; and whatever the action throws
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
