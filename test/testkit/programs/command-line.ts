/** Running the command line: as a program of its own, or, for the many, within this process. */
import { spawn } from "node:child_process";
import { Writable } from "node:stream";
import { expect } from "chai";
import { main } from "../../../src/cli/main.ts";
import { checkJson } from "./json-schemas.ts";

export interface Ended {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `--json` prints, as far as all commands share it. */
export interface JsonDocument {
  readonly schema: string;
  readonly ok: boolean;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
    readonly hint?: string;
  };
  readonly warnings?: readonly string[];
  readonly [field: string]: unknown;
}

class Collected extends Writable {
  text = "";

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/**
 * Runs one command line within this process: the same code from the arguments to the exit status, but fast.
 * @throws Error if what it prints for `--json` is not as docs/json/ says
 */
export async function runHere(args: readonly string[]): Promise<Ended> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const streams = {
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    env: {},
  };
  const status = await main(args, streams);
  checkJson(args, stdout.text);
  return { status, signal: null, stdout: stdout.text, stderr: stderr.text };
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself, such as `--import`. */
  readonly node?: readonly string[];
  /** The folder that it runs in. */
  readonly cwd?: string;
  /** Read from standard input; nothing by default. */
  readonly input?: string;
  /** Milliseconds after which it is ended by SIGKILL. */
  readonly killAfter?: number;
}

/** Runs any program to its end. */
export function runProgram(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      stdio: "pipe",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.killAfter === undefined ? {} : { timeout: options.killAfter, killSignal: "SIGKILL" }),
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    // It may end before it has read everything.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, ...output }));
  });
}

/** Runs `bin/feedkey.js` as users do, with a real exit status. @throws Error as `runHere` */
export async function runProcess(args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const ended = await runProgram(process.execPath, [...(options.node ?? []), "bin/feedkey.js", ...args], options);
  checkJson(args, ended.stdout);
  return ended;
}

/** The one document on standard output; fails if there is none, more than one, or anything beside it. */
export function documentOf({ stdout, stderr }: Ended): JsonDocument {
  let document: JsonDocument;
  try {
    document = JSON.parse(stdout);
  } catch {
    throw new Error(`expected one JSON document, found:\n${stdout}\nand on standard error:\n${stderr}`);
  }
  expect(document.schema).to.match(/^feedkey\.[a-z-]+\/1$/);
  return document;
}
