/** Running somebody else's program on a throw-away home: it sees none of this user's keys and settings. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Ran {
  /** Exit status; undefined when it could not be started, was killed or took too long. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const patienceMs = 60_000;
const running = new Set<ChildProcess>();

/** The program's path, as a shell would find it; undefined if it is not installed. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  const candidates = path.split(delimiter).filter((folder) => folder !== "");
  return candidates
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** Ends whatever is still running: what it works on is about to go. */
export function endPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

/**
 * Runs a program to its end.
 * @param home a folder that stands in for the user's home, GnuPG's too
 */
export async function runProgram(program: string, args: readonly string[], home: string): Promise<Ran> {
  const env = { PATH: process.env.PATH ?? "", HOME: home, GNUPGHOME: home, LC_ALL: "C.UTF-8" };
  const child = spawn(program, args, { cwd: home, env, stdio: ["ignore", "pipe", "pipe"], timeout: patienceMs });
  running.add(child);
  const output = { stdout: "", stderr: "" };
  const collect = (name: keyof typeof output) => (text: string) => {
    output[name] = `${output[name]}${text}`.slice(-64 * 1024);
  };
  child.stdout.setEncoding("utf8").on("data", collect("stdout"));
  child.stderr.setEncoding("utf8").on("data", collect("stderr"));
  try {
    const status = await new Promise<number | null>((done) => {
      child.once("error", () => done(null));
      child.once("close", done);
    });
    return { status: status ?? undefined, ...output };
  } finally {
    running.delete(child);
  }
}
