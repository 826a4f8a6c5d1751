/** kill -9 at every step: each run begins with a copy of one starting point, and dies within this process. */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { iso } from "../../../src/time.ts";
import { hour, published, type TestArchive } from "../archives/opkg-archive.ts";
import { snapshot } from "../snapshot.ts";
import { runHere } from "./command-line.ts";
import { diesAt, forgetLocks } from "./crash.ts";
import { diskSteps } from "./disk-steps.ts";

/** The clients' time. */
export const at = published + 2 * hour;
/** Options of node that load what counts a run's steps, and ends it. */
export const killPreload = ["--import", new URL("./kill-preload.js", import.meta.url).href];
/** What a run starts from: it can be copied into a folder of its own. */
interface Copied {
  readonly folder: string;
  copy(): Promise<unknown>;
  removeFolder(): Promise<void>;
}

export interface Story<Start extends Copied> {
  readonly start: Start;
  readonly args: (copy: Start) => readonly string[];
  /** What must hold whenever the run was killed; the copy is free to be used up. */
  readonly check: (copy: Start, killed: boolean) => Promise<void>;
  /** Functions of node that count as steps; all that change the disk by default. */
  readonly steps?: readonly string[];
}

/** Whatever a reader of a folder can tell; temporary files count by their number, since nobody reads them. */
async function readable(folder: string): Promise<string> {
  const all = Object.entries(await snapshot(folder)).filter(([path]) => !path.endsWith(".lock-owner"));
  const isTemporary = (path: string) => /\/\.feedkey-[^/]*\.tmp(\/|$)/.test(path);
  const left = all.filter(([path]) => isTemporary(path)).map(([path]) => dirname(path));
  const seen = all.filter(([path]) => !isTemporary(path)).map(([path, what]) => [path.slice(folder.length), what]);
  return JSON.stringify([seen, left.map((path) => path.slice(folder.length)).sort()]);
}

/**
 * Kills a command at every step it has. Runs that leave the same behind are checked once.
 * @returns the number of steps
 */
export async function killEverywhere<Start extends Copied>(story: Story<Start>): Promise<number> {
  const { start, args, check, steps = diskSteps } = story;
  const checked = new Set<string>();
  for (let step = 0; ; step += 1) {
    const copy = (await start.copy()) as Start;
    try {
      const run = await diesAt(step, () => runHere(args(copy)), steps);
      if (run !== undefined) expect(run.ended.status, run.ended.stdout).to.equal(0);
      await forgetLocks(copy.folder);
      const left = await readable(copy.folder);
      if (run === undefined && checked.has(left)) continue;
      checked.add(left);
      await check(copy, run === undefined).catch((error: unknown) => {
        throw new Error(`after step ${step}${run === undefined ? "" : ", its last"}: ${error}`, { cause: error });
      });
      if (run !== undefined) return step;
    } finally {
      await copy.removeFolder();
    }
  }
}

/** A client that was never here before reads the archive. @returns digest of what it accepted */
export async function freshClient(copy: TestArchive, index: string): Promise<string | undefined> {
  const state = join(copy.folder, "fresh");
  const profile = join(copy.folder, "fresh.ini");
  const text = await fs.readFile(copy.profile, "utf8");
  await fs.writeFile(profile, text.replace("[feed base]", `[feed base]\nindex = ${index}`));
  const global = ["--profile", profile, "--state", state, "--json", "--at", iso(at)];
  const ended = await runHere([...global, "update"]);
  await fs.rm(state, { recursive: true, force: true });
  if (ended.status !== 0) return undefined;
  return JSON.parse(ended.stdout).feeds[0].sha256;
}
