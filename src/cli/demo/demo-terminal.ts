/** The demo's terminal: runs commands as a person would type them, and shows their real output and exit status. */
import { Writable } from "node:stream";
import { type ErrorCode, exitStatus, FeedkeyError } from "../../error.ts";
import type { Main } from "../run.ts";

/** Returns a stream that captures a command's output. */
function capture(): { stream: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

export class DemoStage {
  readonly #main: Main;
  readonly #write: (text: string) => void;
  readonly #replace: readonly (readonly [string, string])[];
  readonly steps: { command: string; status: number; code: string | null }[] = [];

  /**
   * Makes the demo's terminal.
   * @param write prints text
   * @param replace pairs of a long path and the short text to show for this path
   */
  constructor(main: Main, write: (text: string) => void, replace: readonly (readonly [string, string])[]) {
    this.#main = main;
    this.#write = write;
    this.#replace = replace;
  }

  tell(text: string): void {
    this.#write(`\n# ${text}\n`);
  }

  #shown(text: string): string {
    return this.#replace.reduce((shown, [path, short]) => shown.replaceAll(path, short), text);
  }

  /**
   * Runs a command and shows the command with its output.
   * @param expected the code with which the command must fail; undefined if it must succeed
   * @returns the command's standard output
   * @throws FeedkeyError `internal` if the command does not end as expected
   */
  async run(args: readonly string[], expected?: ErrorCode): Promise<string> {
    const [stdout, stderr] = [capture(), capture()];
    const command = `feedkey ${args.map((arg) => (/[^\w./:=@-]/.test(arg) ? `"${arg}"` : arg)).join(" ")}`;
    this.#write(`$ ${this.#shown(command)}\n`);
    const status = await this.#main(args, { stdout: stdout.stream, stderr: stderr.stream, env: { NO_COLOR: "1" } });
    const output = `${stdout.text()}${stderr.text()}`.trimEnd();
    const lines = this.#shown(output).split("\n");
    for (const line of lines.slice(0, 14)) this.#write(`  ${line}\n`);
    if (lines.length > 14) this.#write(`  ... ${lines.length - 14} more lines\n`);
    const wanted = expected === undefined ? 0 : exitStatus(expected);
    this.steps.push({ command: this.#shown(command), status, code: expected ?? null });
    if (expected !== undefined) this.#write(`  (exit status ${status}: ${expected}, as expected)\n`);
    if (status === wanted) return stdout.text();
    throw new FeedkeyError("internal", `the demo expected exit status ${wanted} from "${command}", but got ${status}`);
  }
}
