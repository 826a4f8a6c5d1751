/** Prints warnings and progress on standard error. Progress bars appear only on a terminal. */

import { Help } from "commander";
import { escapeText } from "../escape.ts";
import type { Reporter } from "../index.ts";
import { indent } from "./table.ts";

interface ReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly stderr: NodeJS.WriteStream;
}

const nothing = { update: () => undefined, stop: () => undefined };

function fitted(line: string, { isTTY, columns = 80 }: NodeJS.WriteStream): string {
  return isTTY === true
    ? new Help().boxWrap(line, Math.max(columns, 80) - indent.length).replaceAll("\n", `\n${indent}`)
    : line;
}

export class CliReporter implements Reporter {
  readonly warnings: string[] = [];
  readonly #options: ReporterOptions;
  #bars: typeof import("./progress-bar.ts") | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Loads the progress bars if standard error is a terminal. */
  async prepare(): Promise<void> {
    const { stderr, quiet, json } = this.#options;
    if (stderr.isTTY && !quiet && !json) this.#bars = await import("./progress-bar.ts");
  }

  warn(text: string): void {
    this.warnings.push(text);
    if (!this.#options.json) this.line("warning", text);
  }

  /** Prints a detail for `--verbose`. */
  note(text: string): void {
    if (this.#options.verbose && !this.#options.json) this.line("note", text);
  }

  /**
   * Prints `feedkey: error: text`. Escapes line feeds in the text, because a second line could pass for another message from
   * feedkey. On a terminal, colours the word `error`, and wraps long lines between words.
   */
  line(kind: "error" | "hint" | "warning" | "note", text: string): void {
    const colors = { error: 31, hint: 36, warning: 33, note: 2 };
    const word = this.#options.color ? `\x1b[${colors[kind]}m${kind}\x1b[0m` : kind;
    this.#options.stderr.write(`${fitted(`feedkey: ${word}: ${escapeText(text)}`, this.#options.stderr)}\n`);
  }

  progress(label: string, total: number | undefined): { update(done: number, total?: number): void; stop(): void } {
    return this.#bars?.progressBar(label, total, this.#options.stderr) ?? nothing;
  }
}
