import { randomBytes } from "node:crypto";
import { constants, readFileSync, rmdirSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError, systemCode, unlessMissing } from "../error.ts";
import { givenBackAtExit } from "./cleanup-at-exit.ts";
import { ensureFolder } from "./folder.ts";
import { outputError } from "./system-error.ts";

const staleAfterMs = 10_000;
const refreshMs = 2_500;
const retryMs = 100;
// The wait is longer than `staleAfterMs`, so that a killed run's lock becomes stale before this run gives up.
const defaultWaitMs = 15_000;

export interface LockOptions {
  /** How long to wait until another run releases the lock, in milliseconds; with 0, only one attempt. */
  readonly waitMs?: number | undefined;
  /** The mode of the folder, if feedkey must make it. */
  readonly mode?: number;
}

/** A lock that this run holds: this run may change the folder as long as `assertHeld` does not throw. */
export interface HeldLock {
  readonly folder: string;
  /**
   * Checks that this run still holds the lock. Callers must check before each commit: if this run was suspended, its lock may
   * have become stale, and another run may have taken the lock.
   * @throws FeedkeyError `locked` if this run has lost the lock
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Locks a folder against other runs. Makes the folder (0700 by default) if it is missing.
 * @throws FeedkeyError `locked` if another run still holds the lock after the wait; `output` if feedkey can't make the folder
 *   or the lock
 */
export async function acquireLock(folder: string, options: LockOptions = {}): Promise<HeldLock> {
  await ensureFolder(folder, options.mode ?? 0o700);
  const ownerFile = join(folder, ".lock-owner");
  const token = randomBytes(16).toString("hex");
  const lockFolder = join(await fs.realpath(folder), ".lock");
  await waitForLockFolder(folder, lockFolder, options.waitMs ?? defaultWaitMs);
  try {
    // If two runs find the same stale lock, the second may remove the lock that the first has just made, and both continue. The
    // token file decides between them: only the run that wrote its token last still holds the lock.
    await writeToken(ownerFile, token);
  } catch (error) {
    await fs.rmdir(lockFolder).catch(() => undefined);
    throw outputError(error, ownerFile);
  }
  const isOurs = async () => (await readToken(ownerFile)) === token;
  const refreshing = setInterval(async () => {
    // This run must not refresh another run's lock, because the lock's age shows whether the other run was killed.
    if (await isOurs()) await fs.utimes(lockFolder, new Date(), new Date()).catch(() => undefined);
  }, refreshMs).unref();
  const forget = givenBackAtExit(() => giveBack(ownerFile, token, lockFolder));
  return {
    folder,
    async assertHeld() {
      if (!(await isOurs()) || (await ageOf(lockFolder).catch(() => undefined)) === undefined) throw lostLock(folder);
    },
    async release() {
      clearInterval(refreshing);
      forget();
      const owner = await readToken(ownerFile);
      // If another run has taken the lock, the lock's folder belongs to that run.
      if (owner !== undefined && owner !== token) return;
      await fs.rm(ownerFile, { force: true });
      await fs.rmdir(lockFolder).catch(() => undefined);
    },
  };
}

/**
 * Runs an action while this run holds the lock of a folder.
 * @throws FeedkeyError `locked`, `output`, and every error of the action
 */
export async function withLock<T>(
  folder: string,
  action: (lock: HeldLock) => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await acquireLock(folder, options);
  try {
    return await action(lock);
  } finally {
    await lock.release();
  }
}

/**
 * Makes the folder that serves as the lock, after removing a stale lock. Only one run can succeed, because mkdir fails if the
 * folder exists.
 */
async function waitForLockFolder(folder: string, lockFolder: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      const age = await ageOf(lockFolder);
      if (age !== undefined && age > staleAfterMs) await fs.rmdir(lockFolder);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw outputError(error, lockFolder);
    }
    try {
      return await fs.mkdir(lockFolder, 0o700);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw outputError(error, lockFolder);
    }
    const left = deadline - performance.now();
    if (left <= 0) throw lockedByAnother(folder, lockFolder);
    await sleep(Math.min(retryMs, left));
  }
}

/** Returns how many milliseconds ago a run made or last refreshed the lock; undefined if there is no lock. */
async function ageOf(lockFolder: string): Promise<number | undefined> {
  const found = await unlessMissing(fs.stat(lockFolder));
  return found && Date.now() - found.mtimeMs;
}

/** Releases the lock synchronously when the process ends. */
function giveBack(ownerFile: string, token: string, lockFolder: string): void {
  try {
    if (readFileSync(ownerFile, "utf8") !== token) return;
    rmSync(ownerFile, { force: true });
    rmdirSync(lockFolder);
  } catch {
    // If releasing fails, the lock becomes stale by itself.
  }
}

async function writeToken(file: string, token: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  await fs.writeFile(file, token, { flag: flags, mode: 0o600 });
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    return await fs.readFile(file, "utf8");
  } catch {
    // If this run can't prove that it holds the lock, the lock counts as lost.
    return undefined;
  }
}

function lockedByAnother(folder: string, lockfilePath: string): FeedkeyError {
  return new FeedkeyError("locked", `another run is in progress in "${folder}"`, {
    details: { folder },
    hint: `wait for that run to end; if no other feedkey is running, remove the folder "${lockfilePath}"`,
  });
}

function lostLock(folder: string): FeedkeyError {
  return new FeedkeyError("locked", `lost the lock of "${folder}": another run may have taken over`, {
    details: { folder },
    hint: "nothing more was written; run the command again",
  });
}
