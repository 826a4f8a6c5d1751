/** Calls of node that change the disk: a test counts them, and lets one fail, or never return. */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** What becomes of a call: undefined: it takes place; an error: it fails; `never`: it does not return. */
export type Fate = undefined | Error | "never";

/**
 * Decides about each call.
 * @param step name of the function
 * @param begin does a part of it
 */
export type Judge = (step: string, begin?: () => void) => Fate;

// biome-ignore lint/suspicious/noExplicitAny: functions of any signature are wrapped alike
type Any = any;

const named = ["appendFile", "chmod", "copyFile", "cp", "link", "lutimes", "mkdir", "mkdtemp", "rename", "rm", "rmdir"];
named.push("symlink", "truncate", "unlink", "utimes", "writeFile");

/** Names of all these calls. */
export const diskSteps: readonly string[] = [...named, "open", "write", "writev"];

const { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants;

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & (O_CREAT | O_RDWR | O_TRUNC | O_WRONLY)) !== 0;
  return typeof flags === "string" && /[wa+]/.test(flags);
}

/** Replaces a function. @param fate decides about a call by its arguments; `this` is that of the call */
function wrap(
  target: Any,
  name: string,
  style: "promise" | "callback" | "sync",
  fate: (self: Any, args: readonly Any[]) => Fate,
) {
  const original = target[name];
  if (typeof original !== "function") return;
  target[name] = function (this: Any, ...args: Any[]) {
    const decided = fate(this, args);
    if (decided === undefined) return Reflect.apply(original, this, args);
    if (style === "promise") return decided === "never" ? new Promise(() => undefined) : Promise.reject(decided);
    // A call that returns at once can't be kept from returning: whatever catches this, the next call comes here too.
    if (style === "sync") throw decided === "never" ? new Error("this run has ended") : decided;
    const done = args.at(-1);
    if (decided !== "never") setImmediate(() => done(decided));
  };
}

/** Lets a judge decide about every call from now on, in this process. Threads judge for themselves: theirs only read. */
export async function judgeDisk(judge: Judge): Promise<void> {
  for (const name of named) {
    wrap(promises, name, "promise", () => judge(name));
    wrap(fs, name, "callback", () => judge(name));
    wrap(fs, `${name}Sync`, "sync", () => judge(name));
  }
  for (const [target, name, style] of [
    [promises, "open", "promise"],
    [fs, "open", "callback"],
    [fs, "openSync", "sync"],
  ] as const) {
    wrap(target, name, style, (_self, [, flags]) => (opensForWriting(flags) ? judge("open") : undefined));
  }
  const { writeSync } = fs;
  wrap(fs, "writeSync", "sync", (_self, [descriptor]) => (descriptor > 2 ? judge("write") : undefined));
  const handle = await promises.open("/dev/null", "r");
  const fileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  // Not `sync`: a kill takes nothing from the system's memory, so the disk looks the same before it and after.
  for (const name of ["appendFile", "chmod", "truncate", "utimes", "writeFile", "writev"]) {
    wrap(fileHandle, name, "promise", () => judge(name));
  }
  wrap(fileHandle, "write", "promise", (self, [data]) => {
    return judge("write", () => writeSync(self.fd, data, 0, data.length >> 1));
  });
  syncBuiltinESMExports();
}
