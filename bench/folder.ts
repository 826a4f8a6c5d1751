/** A temporary folder for measurements. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs some work in a new folder. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-bench-"));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
