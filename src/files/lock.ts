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
// Longer than staleAfterMs, so that the lock of a killed run goes stale before this run gives up.
const defaultWaitMs = 15_000;

export interface LockOptions {
  /** How long to wait for another run to release the lock, in milliseconds; 0 means one attempt. */
  readonly waitMs?: number | undefined;
  /** Permissions of the folder if it has to be made. */
  readonly mode?: number;
}

/** The right to change a folder, as long as `assertHeld` does not throw. */
export interface HeldLock {
  readonly folder: string;
  /**
   * Checks that this run still holds the lock. The caller checks before each commit: a run that was suspended for longer than a
   * lock lives has lost its lock, and another run may have taken it.
   * @throws FeedkeyError `locked` if the lock is lost
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Locks a folder against other runs. Makes the folder (0700 by default) if it is missing.
 * @throws FeedkeyError `locked` if another run still holds the lock after the wait; `output` if the folder or lock can't be
 *   made
 */
export async function acquireLock(folder: string, options: LockOptions = {}): Promise<HeldLock> {
  await ensureFolder(folder, options.mode ?? 0o700);
  const ownerFile = join(folder, ".lock-owner");
  const token = randomBytes(16).toString("hex");
  const lockFolder = join(await fs.realpath(folder), ".lock");
  await waitForLockFolder(folder, lockFolder, options.waitMs ?? defaultWaitMs);
  try {
    // Two runs that find the same stale lock can both take the lock, because the second run may remove the first run's lock.
    // The first run notices this by the token: only the run that wrote last continues.
    await writeToken(ownerFile, token);
  } catch (error) {
    await fs.rmdir(lockFolder).catch(() => undefined);
    throw outputError(error, ownerFile);
  }
  const isOurs = async () => (await readToken(ownerFile)) === token;
  const refreshing = setInterval(async () => {
    // Never refresh another run's lock: the lock's age shows whether that run was killed.
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
      // If this run lost the lock, the lock's folder belongs to the run that took it.
      if (owner !== undefined && owner !== token) return;
      await fs.rm(ownerFile, { force: true });
      await fs.rmdir(lockFolder).catch(() => undefined);
    },
  };
}

/**
 * Runs an action while this run holds the lock of a folder.
 * @throws FeedkeyError `locked`, `output`, and what the action throws
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

/** Makes the folder that is the lock, which only one run can do; removes a stale lock first. */
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

/** Returns the milliseconds since a lock was made or last refreshed; undefined if there is no lock. */
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
    // The lock goes stale without this.
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
    hint: `wait for it to end; if no other feedkey is running, remove the folder "${lockfilePath}"`,
  });
}

function lostLock(folder: string): FeedkeyError {
  return new FeedkeyError("locked", `lost the lock of "${folder}": another run may have taken over`, {
    details: { folder },
    hint: "nothing more was written; run the command again",
  });
}
