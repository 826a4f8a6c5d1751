import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError, systemCode } from "../error.ts";
import { ensureFolder } from "./folder.ts";
import { outputError } from "./system-error.ts";

// proper-lockfile has the process end on this signal. A file that may not grow any more is an error of writing, which
// is told and tidied up after; node without proper-lockfile ignores the signal too.
process.on("SIGXFSZ", () => undefined);

const staleAfterMs = 10_000;
const refreshMs = 2_500;
const retryMs = 100;
// Longer than staleAfterMs, so that the lock of a killed run has gone stale before we give up.
const defaultWaitMs = 15_000;

export interface LockOptions {
  /** How long to wait for another run, in milliseconds; 0 tries once. */
  readonly waitMs?: number;
  /** Permissions of the folder if it has to be made, less the umask. */
  readonly mode?: number;
}

/** The right to change a folder, as long as `assertHeld` does not throw. */
export interface HeldLock {
  readonly folder: string;
  /**
   * To be called before each commit: a run that was suspended for longer than a lock lives has lost it, and
   * another run may be at work.
   * @throws FeedkeyError `locked`
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Locks a folder against other runs; makes it (0700) if it is missing.
 * @throws FeedkeyError `locked` when another run still holds it after the wait, `output` when it cannot be made
 */
export async function acquireLock(folder: string, options: LockOptions = {}): Promise<HeldLock> {
  await ensureFolder(folder, options.mode ?? 0o700);
  const ownerFile = join(folder, ".lock-owner");
  const token = randomBytes(16).toString("hex");
  const state = { lost: false };
  const release = await waitForLockFile(folder, options.waitMs ?? defaultWaitMs, () => {
    state.lost = true;
  });
  try {
    // Two runs that find the same stale lock can both take it over, the second removing the first one's. The lock file
    // tells the first only at its next refresh, this token at once: only the run that wrote last goes on.
    await writeToken(ownerFile, token);
  } catch (error) {
    await release().catch(() => undefined);
    throw outputError(error, ownerFile);
  }
  return {
    folder,
    async assertHeld() {
      if (state.lost || (await readToken(ownerFile)) !== token) throw lostLock(folder);
    },
    async release() {
      const owner = await readToken(ownerFile);
      // Once lost, the files belong to the run that took over.
      if (state.lost || (owner !== undefined && owner !== token)) return;
      await fs.rm(ownerFile, { force: true });
      await release().catch(() => undefined);
    },
  };
}

/**
 * Runs an action while holding the lock of a folder.
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

async function waitForLockFile(folder: string, waitMs: number, onLost: () => void): Promise<() => Promise<void>> {
  // Loaded when something is locked: an audit locks nothing, and does without the 7 ms.
  const { lock: takeLockFile } = await import("proper-lockfile");
  const lockfilePath = join(await fs.realpath(folder), ".lock");
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return await takeLockFile(lockfilePath, {
        lockfilePath,
        realpath: false,
        stale: staleAfterMs,
        update: refreshMs,
        onCompromised: onLost,
      });
    } catch (error) {
      if (systemCode(error) !== "ELOCKED") throw outputError(error, lockfilePath);
      const left = deadline - performance.now();
      if (left <= 0) throw lockedByAnother(folder, lockfilePath);
      await sleep(Math.min(retryMs, left));
    }
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
    // Whatever the reason: what cannot be shown to be ours is not.
    return undefined;
  }
}

function lockedByAnother(folder: string, lockfilePath: string): FeedkeyError {
  return new FeedkeyError("locked", `another run is at work in "${folder}"`, {
    details: { folder },
    hint: `wait for it to end; if no other feedkey runs, remove the folder "${lockfilePath}"`,
  });
}

function lostLock(folder: string): FeedkeyError {
  return new FeedkeyError("locked", `lost the lock of "${folder}": another run may have taken over`, {
    details: { folder },
    hint: "nothing more was written; run the command again",
  });
}
