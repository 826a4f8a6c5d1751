/**
 * A folder for copies of secret keys: nobody else can read it, and it is removed however the run ends. After a run was killed,
 * the next one removes its folder.
 */
import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { givenBackAtExit } from "../files/cleanup-at-exit.ts";
import { endPrograms } from "../files/programs.ts";

/** The session's own folder in memory if there is one (XDG base directory specification), else the one for temporary files. */
function place(): string {
  const runtime = process.env.XDG_RUNTIME_DIR ?? "";
  try {
    const { uid, mode } = statSync(runtime);
    if (uid === process.geteuid?.() && (mode & 0o077) === 0) return runtime;
  } catch {
    // There is none.
  }
  return tmpdir();
}

const name = "feedkey-rehearsal-";

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

/** Removes the folders of killed runs, which contain copies of secret keys. */
function removeLeftovers(parent: string): void {
  for (const entry of readdirSync(parent)) {
    const pid = new RegExp(`^${name}(\\d+)-`).exec(entry)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const folder = join(parent, entry);
    const status = lstatSync(folder, { throwIfNoEntry: false });
    if (status?.isDirectory() === true && status.uid === process.geteuid?.()) remove(folder);
  }
}

function make(): string {
  try {
    removeLeftovers(place());
    // Made with mode 0700 (mkdtemp(3)).
    return mkdtempSync(join(place(), `${name}${process.pid}-`));
  } catch (cause) {
    throw new FeedkeyError("output", `no folder can be made in ${escapeText(place())}`, {
      cause,
      hint: "the rehearsal needs a private folder for a copy: set TMPDIR to a folder that you can write to",
    });
  }
}

function remove(folder: string): void {
  // Programs that still run could write files into it while it is removed.
  endPrograms();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Gives an action a private folder, and removes it afterwards: when the action fails, and when a signal ends the run.
 * @throws FeedkeyError `output` if it can't be made, and what the action throws
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
