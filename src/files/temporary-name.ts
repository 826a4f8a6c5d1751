/**
 * Makes the names of temporary files. Each name contains the process ID, so that feedkey can tell whether the process that made
 * the file still runs.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "../error.ts";

let known: string | undefined;

/** Returns a hash of the system's boot ID and the PID namespace, because a process ID is unique only within these. */
function numbering(): string {
  known ??= createHash("sha256")
    .update(`${read(readFileSync, "sys/kernel/random/boot_id")} ${read(readlinkSync, "self/ns/pid")}`)
    .digest("hex")
    .slice(0, 8);
  return known;
}

function read(how: (path: string, encoding: "utf8") => string, name: string): string {
  try {
    return how(`/proc/${name}`, "utf8");
  } catch {
    return hostname();
  }
}

/** Returns a new name for a temporary file, which `removeLeftovers` and {@link removeForsaken} recognise. */
export function temporaryName(): string {
  return `.feedkey-${numbering()}-${process.pid}-${randomBytes(12).toString("hex")}.tmp`;
}

const ours = /^\.feedkey-([0-9a-f]{8})-([1-9]\d{0,9})-[0-9a-f]{24}\.tmp$/;

/**
 * For a temporary file from another machine, container or boot, feedkey can't know whether its process still runs. So it removes the
 * file if nobody has written to it for this number of milliseconds. Stalled downloads end much sooner, after a minute.
 */
const silentForMs = 3_600_000;

/**
 * Removes temporary files of ended processes from a folder that has no lock, such as the output folder for packages. Removes
 * only regular files of this user whose names have exactly the form of {@link temporaryName}. Never throws, because a file that
 * stays does no harm.
 */
export async function removeForsaken(folder: string): Promise<void> {
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names) {
    const [, where, pid] = ours.exec(name) ?? [];
    if (pid === undefined || (where === numbering() && isAlive(Number(pid)))) continue;
    const path = join(folder, name);
    const stat = await fs.lstat(path).catch(() => undefined);
    if (stat?.isFile() !== true || stat.uid !== process.geteuid?.()) continue;
    if (where !== numbering() && Date.now() - stat.mtimeMs < silentForMs) continue;
    await fs.unlink(path).catch(() => undefined);
  }
}

/** Whether a process with this ID exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any error other than ESRCH means that the process exists but belongs to another user.
    return systemCode(error) !== "ESRCH";
  }
}
