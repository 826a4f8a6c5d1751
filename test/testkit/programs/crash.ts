/** Trouble at chosen calls that change the disk, within this process: cheap enough to try every call of an action. */
import { AsyncLocalStorage } from "node:async_hooks";
import defaultExports, * as fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type Judge, judgeDisk } from "./disk-steps.ts";

type Call = (...args: unknown[]) => unknown;

/** Calls that make, name or remove something. */
const changing = ["open", "mkdir", "rename", "rm", "symlink", "unlink", "writeFile"];

/** Decides about the calls of one action, by name. */
interface Course {
  readonly judge: Judge;
  /** Files that the action opened. */
  readonly opened: Set<fs.FileHandle>;
}

const courses = new AsyncLocalStorage<Course>();
let isJudged: Promise<void> | undefined;

async function judgeCourses(): Promise<void> {
  const { open } = defaultExports;
  const noted: typeof open = async (...args) => {
    const file = await open(...args);
    courses.getStore()?.opened.add(file);
    return file;
  };
  Object.assign(defaultExports, { open: noted });
  await judgeDisk((step, begin) => courses.getStore()?.judge(step, begin));
}

/** Runs an action whose calls go as its course says, also those that come after its end. */
async function inCourse<T>(course: Course, action: () => Promise<T>): Promise<T> {
  isJudged ??= judgeCourses();
  await isJudged;
  return await courses.run(course, action);
}

/**
 * A stand-in for kill -9: runs an action that dies instead of its n-th call (from 0) that changes the disk. A write is cut in
 * the middle, and none of the later calls takes place, so that neither the rest of the work nor any tidying up does.
 * @param only names of the calls that count
 * @returns what the action returned; undefined if it died
 */
export async function diesAt<T>(
  n: number,
  action: () => Promise<T>,
  only: readonly string[] = changing,
): Promise<{ readonly ended: T } | undefined> {
  let calls = 0;
  let isDead = false;
  const opened = new Set<fs.FileHandle>();
  let die = () => {};
  const died = new Promise<undefined>((resolve) => {
    // What is already under way in the system gets to its end.
    die = () => setTimeout(() => resolve(undefined), 5);
  });
  const judge: Judge = (step, begin) => {
    if (!isDead && (!only.includes(step) || calls++ < n)) return undefined;
    if (!isDead) begin?.();
    isDead = true;
    die();
    return "never";
  };
  const outcome = await Promise.race([inCourse({ judge, opened }, async () => ({ ended: await action() })), died]);
  // The system closes what a killed program had open.
  if (outcome === undefined) await Promise.all([...opened].map((file) => file.close().catch(() => undefined)));
  return outcome;
}

/**
 * Runs an action whose n-th call (from 0) that changes the disk, and each later one that needs space, fails as on a full disk.
 * @returns what became of the action, and whether it had so many calls
 */
export async function fullAt<T>(n: number, action: () => Promise<T>): Promise<{ ended: T; isFull: boolean }> {
  let calls = 0;
  const judge: Judge = (step) => {
    // A full disk keeps nobody from removing and renaming.
    if (/^(rm|rmdir|unlink|rename|utimes|chmod|lutimes|truncate)$/.test(step) || calls++ < n) return undefined;
    return Object.assign(new Error(`ENOSPC: no space left on device, ${step}`), { code: "ENOSPC", syscall: step });
  };
  const ended = await inCourse({ judge, opened: new Set() }, action);
  return { ended, isFull: calls > n };
}

/** Runs an action while the calls of one function of node:fs/promises go through `instead`. */
export async function replacing(
  name: "readFile" | "rename",
  instead: (original: () => Promise<unknown>, path: string) => Promise<unknown>,
  action: () => Promise<void>,
): Promise<void> {
  const original = defaultExports[name] as Call;
  const wrapped: Call = (...args) => instead(async () => original(...args), String(args[name === "rename" ? 1 : 0]));
  Object.assign(defaultExports, { [name]: wrapped });
  syncBuiltinESMExports();
  try {
    await action();
  } finally {
    Object.assign(defaultExports, { [name]: original });
    syncBuiltinESMExports();
  }
}

/** What time does to the locks of killed runs anywhere below a folder. */
export async function forgetLocks(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder, { recursive: true }).catch(() => [])) {
    if (/(^|\/)\.lock$/.test(name)) await fs.rm(join(folder, name), { recursive: true, force: true });
  }
}
