import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { acquireLock, withLock } from "../../src/files/lock.ts";
import { inScratch, refusal, run } from "../testkit/scratch.ts";

const holdLock = fileURLToPath(new URL("./hold-lock.js", import.meta.url));

/** Another process that holds the lock. */
async function holder(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holdLock, folder, "0"], { stdio: ["pipe", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  expect(String(said)).to.equal("held\n");
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function makeStale(folder: string): Promise<void> {
  const longAgo = new Date(Date.now() - 60_000);
  await fs.utimes(join(folder, ".lock"), longAgo, longAgo);
}

describe("store/lock", () => {
  it("makes a missing folder, 0700, and gives back what the action returns", () =>
    inScratch(async (scratch) => {
      const folder = join(scratch, "deep", "state");
      expect(await withLock(folder, async () => 42)).to.equal(42);
      expect((await fs.stat(folder)).mode & 0o777).to.equal(0o700);
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("lets go when the action fails", () =>
    inScratch(async (folder) => {
      const failure = new Error("no");
      const action = () => Promise.reject(failure);
      expect(await withLock(folder, action).catch((error: unknown) => error)).to.equal(failure);
      expect(await withLock(folder, async () => "free", { waitMs: 0 })).to.equal("free");
    }));

  it("refuses while another process holds it, naming the folder and the way out", () =>
    inScratch(async (folder) => {
      const child = await holder(folder);
      try {
        const error = await refusal(withLock(folder, async () => undefined, { waitMs: 0 }));
        expect(error.code).to.equal("locked");
        expect(error.message).to.equal(`another run is in progress in "${folder}"`);
        expect(error.hint).to.include(join(folder, ".lock"));
      } finally {
        child.stdin?.end();
        await ended(child);
      }
    }));

  it("waits for another process to let go", () =>
    inScratch(async (folder) => {
      const child = await holder(folder);
      const mine = withLock(folder, async () => "mine");
      child.stdin?.end();
      expect(await mine).to.equal("mine");
      await ended(child);
    }));

  it("is never held by two processes at once", () =>
    inScratch(async (scratch) => {
      const log = join(scratch, "log");
      const runs = [1, 2, 3].map(() => run(process.execPath, [holdLock, join(scratch, "state"), "15000", log]));
      for (const one of await Promise.all(runs)) expect(one.stdout).to.equal("done\n");
      expect(await fs.readFile(log, "utf8")).to.equal("in out in out in out ");
    }));

  it("lets a process that is told to end give the lock back", () =>
    inScratch(async (folder) => {
      const child = await holder(folder);
      child.kill("SIGTERM");
      await ended(child);
      expect(child.signalCode).to.equal("SIGTERM");
      expect(await fs.readdir(folder)).to.deep.equal([]);
      expect(await withLock(folder, async () => "mine", { waitMs: 0 })).to.equal("mine");
    }));

  it("takes over the lock of a killed run once that is stale", () =>
    inScratch(async (folder) => {
      const child = await holder(folder);
      child.kill("SIGKILL");
      await ended(child);
      expect((await refusal(withLock(folder, async () => undefined, { waitMs: 0 }))).code).to.equal("locked");
      await makeStale(folder);
      expect(await withLock(folder, async () => "mine", { waitMs: 0 })).to.equal("mine");
    }));

  it("notices at once that another run took over, and leaves that run's lock alone", () =>
    inScratch(async (folder) => {
      const slept = await acquireLock(folder);
      await slept.assertHeld();
      await makeStale(folder);
      const other = await acquireLock(folder, { waitMs: 0 });
      const error = await refusal(slept.assertHeld());
      expect(error.code).to.equal("locked");
      expect(error.message).to.equal(`lost the lock of "${folder}": another run may have taken over`);
      await slept.release();
      await other.assertHeld();
      await other.release();
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("is not held any more once somebody removed it by hand", () =>
    inScratch(async (folder) => {
      const lock = await acquireLock(folder);
      await fs.rmdir(join(folder, ".lock"));
      expect((await refusal(lock.assertHeld())).code).to.equal("locked");
      await lock.release();
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("listens for signals only while something is locked", () =>
    inScratch(async (folder) => {
      const script = `
        // Node itself listens for the end of a program that waits at its top level.
        const names = ["exit", "SIGHUP", "SIGINT", "SIGTERM", "SIGXFSZ"];
        const before = names.map((name) => process.listenerCount(name));
        const tell = () => console.log(names.map((name, at) => process.listenerCount(name) - before[at]).join(" "));
        const { acquireLock } = await import(${JSON.stringify(new URL("../../src/files/lock.js", import.meta.url).href)});
        tell();
        const lock = await acquireLock(${JSON.stringify(folder)});
        tell();
        await lock.release();
        tell();`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
      expect(stdout).to.equal("0 0 0 0 0\n1 1 1 1 0\n0 0 0 0 0\n");
    }));

  it("is not held any more after its release", () =>
    inScratch(async (folder) => {
      const lock = await acquireLock(folder);
      await lock.release();
      await lock.release();
      expect((await refusal(lock.assertHeld())).code).to.equal("locked");
    }));

  it("says why the lock cannot be made", () =>
    inScratch(async (folder) => {
      await fs.writeFile(join(folder, "file"), "");
      const error = await refusal(withLock(join(folder, "file"), async () => undefined));
      expect(error.code).to.equal("output");
      expect(error.message).to.include(join(folder, "file"));
    }));

  it("does not write its token through a symbolic link", () =>
    inScratch(async (scratch) => {
      const folder = join(scratch, "state");
      await fs.mkdir(folder);
      await fs.writeFile(join(scratch, "victim"), "precious");
      await fs.symlink("../victim", join(folder, ".lock-owner"));
      expect((await refusal(withLock(folder, async () => undefined))).code).to.equal("output");
      expect(await fs.readFile(join(scratch, "victim"), "utf8")).to.equal("precious");
    }));
});
