/** Trouble at chosen calls of node:fs/promises, which src/store uses for all that it does to the disk. */
import defaultExports, * as fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

type Call = (...args: unknown[]) => unknown;

const changing = new Set(["open", "mkdir", "rename", "rm", "symlink", "unlink", "writeFile"]);

/**
 * A stand-in for kill -9 within one process, cheap enough to try every call of an action: from a chosen call on no
 * call answers again, so that neither the rest of the work nor any tidying up takes place.
 *
 * Runs an action that dies at its n-th call (from 0) that may change the disk.
 * @returns whether it died; false means that it ended before the n-th call
 */
export async function diesAt(n: number, action: () => Promise<unknown>): Promise<boolean> {
  const functions = Object.entries(defaultExports).filter(([, value]) => typeof value === "function");
  let calls = 0;
  let die = () => {};
  const died = new Promise<boolean>((resolve) => {
    die = () => resolve(true);
  });
  let dead = false;
  for (const [name, original] of functions) {
    const wrapped: Call = (...args) => {
      if (changing.has(name)) calls += 1;
      if (calls > n) dead = true;
      if (!dead) return (original as Call)(...args);
      die();
      return new Promise(() => {});
    };
    Object.assign(defaultExports, { [name]: wrapped });
  }
  syncBuiltinESMExports();
  try {
    return await Promise.race([action().then(() => false), died]);
  } finally {
    Object.assign(defaultExports, Object.fromEntries(functions));
    syncBuiltinESMExports();
  }
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

/** What time does to the lock of a killed run. */
export async function forgetLock(folder: string): Promise<void> {
  await fs.rm(join(folder, ".lock"), { recursive: true, force: true });
}
