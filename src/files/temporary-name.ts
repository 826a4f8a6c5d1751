/** The names of temporary files. They name their process, so that files of killed runs can be told from those of running ones. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "../error.ts";

let known: string | undefined;

/** What the process number is unique in: one boot of a system and, in a container, its own PID namespace. */
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

/** A name that no other run uses, and that `removeLeftovers` and {@link removeForsaken} recognise. */
export function temporaryName(): string {
  return `.feedkey-${numbering()}-${process.pid}-${randomBytes(12).toString("hex")}.tmp`;
}

const ours = /^\.feedkey-([0-9a-f]{8})-([1-9]\d{0,9})-[0-9a-f]{24}\.tmp$/;

/**
 * A temporary file of another machine, container or boot is removed after this time without a write, because it is unknown
 * whether its process still runs. Slow downloads are given up after a minute.
 */
const silentForMs = 3_600_000;

/**
 * Removes temporary files that killed runs left in a folder without a lock, such as the one that packages are fetched into: those
 * of processes that no longer exist. Only files of this user with feedkey's exact form of name; links are neither followed nor removed.
 * Never fails: a file that can't be removed does no harm.
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user exists.
    return systemCode(error) !== "ESRCH";
  }
}
