/**
 * Loaded before the tests: lets them make their folders on a file system in memory where there is one with room, since they
 * wait for thousands of writes to reach the disk. Each write is still asked for, and each kill still comes between two of them.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const place = "/dev/shm";
// Short: the sockets of gpg's agent lie below it, and their paths have 107 bytes at most.
const beginning = "fkt-";
/** More than all folders of a run hold at once. */
const room = 2 ** 31;

/** What runs that were killed left there: it takes memory. */
function removeOld(): void {
  for (const name of fs.readdirSync(place).filter((one) => one.startsWith(beginning))) {
    const { uid, mtimeMs } = fs.lstatSync(join(place, name));
    const isOld = Date.now() - mtimeMs > 86_400_000;
    if (uid === process.geteuid?.() && isOld) fs.rmSync(join(place, name), { recursive: true, force: true });
  }
}

/** Whether programs can be run from a folder: containers often forbid it. */
function runsPrograms(folder: string): boolean {
  const file = join(folder, "runs");
  fs.writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
  return spawnSync(file).status === 0;
}

/** A folder of this run; undefined where there is no place for it. */
function makeFolder(): string | undefined {
  try {
    removeOld();
    const { bavail, bsize } = fs.statfsSync(place);
    if (bavail * bsize < room || freemem() < 3 * room) return undefined;
    const folder = fs.mkdtempSync(join(place, beginning));
    // As /tmp is: some tests let other users work below it.
    fs.chmodSync(folder, 0o1777);
    process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
    return runsPrograms(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

// Somebody who has set it wants it so.
const folder = process.env.TMPDIR === undefined ? makeFolder() : undefined;
if (folder !== undefined) process.env.TMPDIR = folder;
