/**
 * The names of temporary files. A name contains the process ID, so that files of killed runs differ from those of living runs.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "../error.ts";

let known: string | undefined;

/** Returns a hash of what makes a process ID unique: the boot of the system and, in a container, the PID namespace. */
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

/** Returns a name that no other run uses, and that `removeLeftovers` and {@link removeForsaken} recognise. */
export function temporaryName(): string {
  return `.feedkey-${numbering()}-${process.pid}-${randomBytes(12).toString("hex")}.tmp`;
}

const ours = /^\.feedkey-([0-9a-f]{8})-([1-9]\d{0,9})-[0-9a-f]{24}\.tmp$/;

/**
 * A temporary file from another machine, container or boot is removed if nothing was written to it for this many milliseconds:
 * feedkey can't know whether its process still runs. Slow downloads end after a minute.
 */
const silentForMs = 3_600_000;

/**
 * Removes temporary files of processes that no longer exist from a folder without a lock, such as the output folder of
 * packages. Removes only files of this user with feedkey's exact form of name; neither follows nor removes links. Never fails:
 * a file that can't be removed does no harm.
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

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // If the error is not ESRCH, the process exists and belongs to another user.
    return systemCode(error) !== "ESRCH";
  }
}
