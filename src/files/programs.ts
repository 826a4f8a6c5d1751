/** Runs other programs. Only this file starts programs. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Writable } from "node:stream";

export interface Ran {
  /** Exit status; undefined if the program could not be started, was killed or took too long. */
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The error if the program could not be started. */
  readonly cause?: unknown;
}

interface RunTerms {
  /**
   * A folder that the program uses as its home, also for GnuPG: the program does not see this user's keys and settings, and
   * must end within a minute. Without `home`, the program runs as the user would run it.
   */
  readonly home?: string;
  /** More environment variables for a program with its own home. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program's standard input; empty by default. */
  readonly input?: Uint8Array | string;
  /** The program's input on file descriptor 3, which does not appear in a list of processes; empty by default. */
  readonly secret?: string | undefined;
}

const patienceMs = 60_000;
/** Number of bytes of output that are kept, counted from the end, for a program with its own home. */
const kept = 64 * 1024;
const running = new Set<ChildProcess>();

/** Returns a program's path, as a shell would find it; undefined if the program is not installed. */
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

/** Kills all programs that still run with a private home, because the home is about to be removed. */
export function endPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Runs a program until it ends. Never throws: the result contains any failure. */
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
  // The program may end before it has read all its input; its exit status says enough.
  stream.on("error", () => undefined);
  stream.end(input);
}

/** Collects output. @returns a function that returns the output, or at least its last bytes */
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
  /** Path of the program; `gpg` by default. */
  readonly program?: string;
}

/**
 * Runs gpg without questions. With a private home, gpg starts neither gpg-agent nor dirmngr, so that no process stays running
 * or uses the network.
 */
export async function runGpg(args: readonly string[], { program = "gpg", ...terms }: GpgTerms = {}): Promise<Ran> {
  const own = terms.home === undefined ? [] : ["--homedir", resolve(terms.home), "--no-autostart"];
  return await runProgram(program, ["--batch", "--no-tty", "--quiet", ...own, ...args], terms);
}
