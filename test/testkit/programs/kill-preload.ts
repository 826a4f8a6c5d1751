// Preloaded into a run of the program: counts its steps that change the disk, and ends it with SIGKILL instead of step
// number FEEDKEY_KILL_AT (from 1). A write is cut in the middle. Threads count for themselves: theirs only read.
// FEEDKEY_KILL names the functions that count, with commas, where not all of them shall.
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

// The compiled program is saved by the first run that may: then that one would have more steps than the others. It may be there
// before all of them, in a folder that FEEDKEY_KILL_CACHE names.
process.env.XDG_CACHE_HOME = process.env.FEEDKEY_KILL_CACHE ?? "/dev/null";

const killAt = Number(process.env.FEEDKEY_KILL_AT);
const only = process.env.FEEDKEY_KILL?.split(",");
let steps = 0;

/** @param begin does a part of the step before the end comes */
function step(name: string, begin?: () => void): void {
  if (only !== undefined && !only.includes(name)) return;
  steps += 1;
  if (steps !== killAt) return;
  begin?.();
  process.kill(process.pid, "SIGKILL");
}

// biome-ignore lint/suspicious/noExplicitAny: functions of any signature are wrapped alike
type Any = any;

function wrap(target: Any, name: string, before: (self: Any, args: readonly Any[]) => void): void {
  const original = target[name];
  if (typeof original !== "function") return;
  target[name] = function (this: Any, ...args: Any[]) {
    before(this, args);
    return Reflect.apply(original, this, args);
  };
}

const { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants;

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & (O_CREAT | O_RDWR | O_TRUNC | O_WRONLY)) !== 0;
  return typeof flags === "string" && /[wa+]/.test(flags);
}

const changing = [
  "appendFile",
  "chmod",
  "copyFile",
  "cp",
  "link",
  "lutimes",
  "mkdir",
  "mkdtemp",
  "rename",
  "rm",
  "rmdir",
];
changing.push("symlink", "truncate", "unlink", "utimes", "writeFile");
for (const name of changing) {
  wrap(promises, name, () => step(name));
  wrap(fs, name, () => step(name));
  wrap(fs, `${name}Sync`, () => step(name));
}
for (const [target, name] of [
  [promises, "open"],
  [fs, "open"],
  [fs, "openSync"],
] as const) {
  wrap(target, name, (_self, [, flags]) => {
    if (opensForWriting(flags)) step(name);
  });
}
wrap(fs, "writeSync", (_self, [descriptor]) => {
  if (descriptor > 2) step("write");
});

const handle = await promises.open("/dev/null", "r");
const fileHandle = Object.getPrototypeOf(handle);
await handle.close();
// Not `sync`: SIGKILL takes nothing from the system's memory, so the disk looks the same before it and after.
for (const name of ["appendFile", "chmod", "truncate", "utimes", "writeFile", "writev"]) {
  wrap(fileHandle, name, () => step(name));
}
const { writeSync } = fs;
wrap(fileHandle, "write", (self, [data]) => {
  step("write", () => writeSync(self.fd, data, 0, data.length >> 1));
});
syncBuiltinESMExports();
