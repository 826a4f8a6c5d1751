/** Runs other programs. No other file of feedkey starts programs. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Writable } from "node:stream";

export interface Ran {
  /** The exit status; undefined if feedkey could not start the program, or the program was killed or took too long. */
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The error, if feedkey could not start the program. */
  readonly cause?: unknown;
}

interface RunTerms {
  /**
   * A private folder that the program gets as its home folder and GnuPG home, so that the program does not see the user's keys
   * and settings. The program must then end within a minute. Without `home`, the program runs as if the user had started it.
   */
  readonly home?: string;
  /** Further environment variables for a program that runs with `home`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program's standard input; empty by default. */
  readonly input?: Uint8Array | string;
  /**
   * The input that the program reads from file descriptor 3, such as a passphrase: unlike an argument, it does not appear in
   * the list of processes.
   */
  readonly secret?: string | undefined;
}

const patienceMs = 60_000;
/**
 * Number of bytes that feedkey keeps from the end of a program's output. With `home`, this limits both outputs; without `home`,
 * only standard error.
 */
const kept = 64 * 1024;
const running = new Set<ChildProcess>();

/** Finds a program on $PATH, as a shell does; undefined if the program is not installed. */
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

/** Kills all programs that still run with a private home folder. Callers do this before they remove the folder. */
export function endPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Runs a program and waits until it ends. Never throws: the result describes any failure. */
export async function runProgram(program: string, args: readonly string[], terms: RunTerms = {}): Promise<Ran> {
  const { home, environment, input, secret } = terms;
  const env = { PATH: process.env.PATH ?? "", HOME: home, GNUPGHOME: home, LC_ALL: "C.UTF-8", ...environment };
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", ...(secret === undefined ? [] : ["pipe" as const])],
    ...(home === undefined ? {} : { cwd: home, env, timeout: patienceMs }),
  });
  if (home !== undefined) running.add(child);
  const stdout = collect(child.stdout, home === undefined ? Number.POSITIVE_INFINITY : kept);
  const stderr = collect(child.stderr, kept);
  feed(child.stdin, input ?? "");
  if (secret !== undefined) feed(child.stdio[3] as Writable, secret);
  let cause: unknown;
  try {
    const status = await new Promise<number | null>((done) => {
      child.once("error", (error) => {
        cause = error;
        done(null);
      });
      child.once("close", done);
    });
    const said = { status: status ?? undefined, stdout: stdout(), stderr: stderr().toString("utf8") };
    return cause === undefined ? said : { ...said, cause };
  } finally {
    running.delete(child);
  }
}

function feed(stream: Writable, input: Uint8Array | string): void {
  // A program may end before it has read all its input. The exit status then says whether this is a failure.
  stream.on("error", () => undefined);
  stream.end(input);
}

/** Collects a stream's output. @returns a function that returns the output, or at least the last `most` bytes of a longer output */
function collect(stream: NodeJS.ReadableStream, most: number): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    while (length - (chunks[0]?.length ?? 0) >= most) length -= chunks.shift()?.length ?? 0;
  });
  return () => Buffer.concat(chunks);
}

interface GpgTerms extends RunTerms {
  /** The program's path; by default `gpg`. */
  readonly program?: string;
}

/**
 * Runs gpg, which asks no questions. With `home`, gpg starts neither gpg-agent nor dirmngr, so no process keeps running or uses
 * the network.
 */
export async function runGpg(args: readonly string[], { program = "gpg", ...terms }: GpgTerms = {}): Promise<Ran> {
  const own = terms.home === undefined ? [] : ["--homedir", resolve(terms.home), "--no-autostart"];
  return await runProgram(program, ["--batch", "--no-tty", "--quiet", ...own, ...args], terms);
}
