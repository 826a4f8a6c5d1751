/** kill -9 at every step: each run is a process of its own on a copy of one starting point. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../../src/time.ts";
import { hour, published, type TestArchive } from "../archives/opkg-archive.ts";
import { type Ended, runHere, runProcess } from "./command-line.ts";

/** The clients' time. */
export const at = published + 2 * hour;
const node = ["--import", new URL("./kill-preload.js", import.meta.url).href];
/** Runs at once: the machine has no more processors to give. */
const atOnce = 2;

function runUntil(
  step: number,
  args: readonly string[],
  steps: readonly string[] | undefined,
  cache: string,
): Promise<Ended> {
  const only = steps === undefined ? {} : { FEEDKEY_KILL: steps.join(",") };
  return runProcess(args, { node, env: { FEEDKEY_KILL_AT: String(step), FEEDKEY_KILL_CACHE: cache, ...only } });
}

/** The command once to its end, on a copy of its own, so that the compiled program is there and no later run saves it. */
async function compile<Start extends Copied>({ start, args }: Story<Start>, cache: string): Promise<void> {
  const copy = (await start.copy()) as Start;
  try {
    expect((await runProcess(args(copy), { env: { XDG_CACHE_HOME: cache } })).status).to.equal(0);
  } finally {
    await copy.removeFolder();
  }
}

/** What time does to the locks of a killed run. */
async function forgetLocks(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder, { recursive: true })) {
    if (/(^|\/)\.lock$/.test(name)) await fs.rm(join(folder, name), { recursive: true, force: true });
  }
}

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

/** Kills a command at every step it has. @returns the number of steps */
export async function killEverywhere<Start extends Copied>(story: Story<Start>): Promise<number> {
  const cache = await fs.mkdtemp(join(tmpdir(), "feedkey-compiled-"));
  try {
    await compile(story, cache);
    return await killFrom(story, cache);
  } finally {
    await fs.rm(cache, { recursive: true, force: true });
  }
}

async function killFrom<Start extends Copied>(
  { start, args, check, steps }: Story<Start>,
  cache: string,
): Promise<number> {
  const once = async (step: number): Promise<boolean> => {
    const copy = (await start.copy()) as Start;
    try {
      const ended = await runUntil(step, args(copy), steps, cache);
      const killed = ended.signal === "SIGKILL";
      if (!killed) expect(ended.status, ended.stdout).to.equal(0);
      await forgetLocks(copy.folder);
      await check(copy, killed).catch((error: unknown) => {
        throw new Error(`after step ${step}${killed ? "" : ", its last"}: ${error}`, { cause: error });
      });
      return killed;
    } finally {
      await copy.removeFolder();
    }
  };
  for (let step = 1; ; step += atOnce) {
    const killed = await Promise.all(Array.from({ length: atOnce }, (_, i) => once(step + i)));
    const end = killed.indexOf(false);
    if (end >= 0) return step + end - 1;
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
