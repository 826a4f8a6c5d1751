/** Runs commands side by side and takes medians. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

export interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Restores the initial state; not measured. */
  readonly prepare?: () => void;
  /** File for its standard output, if that is the result. */
  readonly output?: string;
  /** It takes so long that it is run only once. */
  readonly once?: boolean;
  /** What it does not do, but feedkey does; for the note below the table. */
  readonly less?: string;
}

export interface Measured {
  readonly name: string;
  /** Median of the wall-clock time; undefined: the program is not on this machine. */
  readonly seconds: number | undefined;
  /** Median of the peak resident memory, in KiB; with several processes, that of the largest. */
  readonly peakKiB: number | undefined;
  /** Median of the processor time of all its threads: more meaningful than elapsed time if other programs run too. */
  readonly processorSeconds: number | undefined;
}

// With this variable Node 20 reads all authorities at each start: 40 ms that no user's command has without it.
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

// GNU time asks the kernel for the peak when the command has ended.
const gnuTime = "/usr/bin/time";

function isHere(program: string): boolean {
  if (program.includes("/")) return fs.existsSync(program);
  const folders = (process.env.PATH ?? "").split(":");
  return folders.some((folder) => fs.existsSync(join(folder, program)));
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

interface Sample {
  readonly seconds: number;
  /** Peak in KiB, and seconds of user and system; none without GNU time. */
  readonly costs: readonly number[];
}

function runOnce({ name, command, output }: Contender, scratch: string): Sample {
  const peakFile = join(scratch, "peak");
  const [program, ...args] = fs.existsSync(gnuTime) ? [gnuTime, "-f", "%M %U %S", "-o", peakFile, ...command] : command;
  const stdout = output === undefined ? "ignore" : fs.openSync(output, "w");
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    stdio: ["ignore", stdout, "pipe"],
    encoding: "utf8",
    env: environment,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (typeof stdout === "number") fs.closeSync(stdout);
  if (status !== 0) throw new Error(`${name} ended with status ${status}: ${stderr}`);
  const costs = fs.existsSync(peakFile) ? fs.readFileSync(peakFile, "utf8").trim().split(" ").map(Number) : [];
  return { seconds, costs };
}

/**
 * Measures all commands in turn, round after round, so that other load affects all of them.
 * @param rounds after a first one that is not counted
 * @param scratch a folder for notes
 */
export function measure(contenders: readonly Contender[], rounds: number, scratch: string): Measured[] {
  const here = contenders.filter(({ command: [program], name }) => {
    return isHere(program) && (!name.includes("gpgv") || isHere("gpgv"));
  });
  const samples = new Map<Contender, Sample[]>(here.map((one) => [one, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const one of here.filter(({ once }) => once !== true || round === 1)) {
      one.prepare?.();
      const sample = runOnce(one, scratch);
      if (round > 0) samples.get(one)?.push(sample);
    }
  }
  return contenders.map((one) => {
    const its = samples.get(one) ?? [];
    const known = its.filter(({ costs }) => costs.length === 3).map(({ costs }) => costs);
    return {
      name: one.name,
      seconds: median(its.map(({ seconds }) => seconds)),
      peakKiB: median(known.map(([peak = 0]) => peak)),
      processorSeconds: median(known.map(([, user = 0, system = 0]) => user + system)),
    };
  });
}
