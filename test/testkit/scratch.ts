import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FeedkeyError } from "../../src/error.ts";

export const fingerprintA = "A".repeat(40);
export const fingerprintB = "0123456789ABCDEF".repeat(4);

/** Runs an action in a new folder that is removed afterwards. */
export async function inScratch(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-test-"));
  try {
    await action(folder);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** The FeedkeyError that a promise must fail with. */
export async function refusal(promise: Promise<unknown>): Promise<FeedkeyError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
  throw new Error("expected a FeedkeyError, but nothing was thrown");
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs an action without root's right to read and write everything. */
export async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65534);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
