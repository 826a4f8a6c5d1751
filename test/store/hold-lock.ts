// Takes the lock of a folder, says so, and holds it until its standard input ends: node hold-lock.js FOLDER WAIT_MS
// With a third argument it appends its name to that file while it holds the lock, and leaves at once.
import * as fs from "node:fs/promises";
import { FeedkeyError } from "../../src/error.ts";
import { withLock } from "../../src/files/lock.ts";

const [folder = "", waitMs = "", log] = process.argv.slice(2);

async function whileHeld(): Promise<void> {
  if (log === undefined) {
    process.stdout.write("held\n");
    for await (const _ of process.stdin);
    return;
  }
  await fs.appendFile(log, "in ");
  await new Promise((resolve) => setTimeout(resolve, 20));
  await fs.appendFile(log, "out ");
}

try {
  await withLock(folder, whileHeld, { waitMs: Number(waitMs) });
  process.stdout.write("done\n");
} catch (error) {
  if (!(error instanceof FeedkeyError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
