/** kill -9 at each commit of a setup and of its removal: either can be repeated, and undone without a trace. */
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { runHere, runProcess } from "../testkit/programs/command-line.ts";
import { Target } from "./target.ts";

const main = ["--suite", "stable", "--component", "main", "--timer", "systemd"];
const changedMain = ["--suite", "testing", "--component", "main", "--timer", "cron"];
const node = ["--import", new URL("../testkit/programs/kill-preload.js", import.meta.url).href];
/** Where the disk changes for good. What is begun and not committed is a file that the next run takes away. */
const commits = "rename,symlink,unlink";
const manifest = "var/lib/feedkey/setup/manifest.json";

/** What setups wrote; their record, empty folders, and the lock of a killed run are no setup. */
async function configuration(target: Target): Promise<Record<string, string>> {
  const files = Object.entries(await target.files());
  const kept = files.filter(([path, what]) => !what.startsWith("folder") && !/\/\.lock(-owner)?$/.test(path));
  return Object.fromEntries(kept.filter(([path]) => path !== manifest));
}

describe("setup: kill -9", function () {
  this.timeout(120_000);
  /** Systems to begin from: as an administrator left it, set up, and set up otherwise. */
  let nothing: Target;
  let done: Target;
  let otherwise: Target;

  async function copyOf(start: Target): Promise<Target> {
    const copy = await Target.make();
    await fs.cp(start.root, copy.root, { recursive: true, verbatimSymlinks: true });
    return copy;
  }

  before(async () => {
    nothing = await Target.make();
    await nothing.write("etc/apt/sources.list", "deb http://a.example/ stable main\n");
    done = await copyOf(nothing);
    await done.accept("apt", ...main);
    otherwise = await copyOf(nothing);
    await otherwise.accept("apt", ...changedMain);
  });

  after(async () => {
    for (const target of [nothing, done, otherwise]) await target.removeAll();
  });

  /** Kills a command at each of its commits, on a copy of one start, two at once. @returns the number of commits */
  async function killEverywhere(
    start: Target,
    args: readonly string[],
    check: (target: Target) => Promise<void>,
  ): Promise<number> {
    const once = async (step: number): Promise<boolean> => {
      const target = await copyOf(start);
      try {
        const env = { FEEDKEY_KILL_AT: String(step), FEEDKEY_KILL: commits };
        const ended = await runProcess(target.args("apt", ...args), { node, env });
        const killed = ended.signal === "SIGKILL";
        if (!killed) expect(ended.status, ended.stdout).to.equal(0);
        // What time does to the locks of a killed run.
        for (const folder of ["setup", "state/example"]) {
          await fs.rm(target.file(`var/lib/feedkey/${folder}/.lock`), { recursive: true, force: true });
        }
        await check(target).catch((error: unknown) => {
          throw new Error(`after step ${step}: ${error}`, { cause: error });
        });
        return killed;
      } finally {
        await target.removeAll();
      }
    };
    for (let step = 1; ; step += 2) {
      const killed = await Promise.all([once(step), once(step + 1)]);
      if (killed.includes(false)) return step;
    }
  }

  /** Undoes what there is; nothing may be there yet. */
  async function undo(target: Target): Promise<void> {
    const ended = await runHere(target.args("apt", "--remove"));
    expect(ended.status, ended.stdout).to.be.oneOf([0, 66]);
    expect(await configuration(target)).to.deep.equal(await configuration(nothing));
  }

  it("a setup that was killed is undone, or finished by the next", async () => {
    const seen = new Set<number>();
    const steps = await killEverywhere(nothing, main, async (target) => {
      seen.add(Object.keys(await configuration(target)).length);
      const copy = await copyOf(target);
      await undo(copy).finally(() => copy.removeAll());
      await target.accept("apt", ...main);
      expect(await configuration(target)).to.deep.equal(await configuration(done));
      await undo(target);
    });
    expect(steps).to.be.greaterThan(12);
    expect(seen.size).to.be.greaterThan(7);
  });

  it("a change of one that was killed is finished by the next, and undone", async () => {
    await killEverywhere(done, changedMain, async (target) => {
      await target.accept("apt", ...changedMain);
      expect(await configuration(target)).to.deep.equal(await configuration(otherwise));
      await undo(target);
    });
  });

  it("a removal that was killed is finished by the next, or taken back by another setup", async () => {
    await killEverywhere(done, ["--remove"], async (target) => {
      const copy = await copyOf(target);
      await undo(copy).finally(() => copy.removeAll());
      await target.accept("apt", ...main);
      expect(await configuration(target)).to.deep.equal(await configuration(done));
    });
  });
});
