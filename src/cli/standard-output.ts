/** Writes all output to standard output, or reports that a part of it is lost. */
import { fstatSync, writeSync } from "node:fs";
import { FeedkeyError, systemCode } from "../error.ts";
import { causeInWords } from "../files/system-error.ts";

/**
 * Writes to a stream and remembers the first failure. Without this, a command could end with status 0 although its output is lost.
 */
export class StandardOutput {
  readonly #stream: NodeJS.WriteStream;
  readonly #file: number | undefined;
  #failure: unknown;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#file = regularFile(stream);
    stream.on("error", (error) => {
      this.#failure ??= error;
    });
  }

  write(text: string): void {
    try {
      if (this.#file === undefined) this.#stream.write(text);
      else writeWhole(this.#file, text);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /**
   * Waits until the stream has accepted all output.
   * @returns an error with the code `output` if a part of the output is lost; undefined if all was written, or if the reader
   *   closed the pipe
   */
  async failure(): Promise<FeedkeyError | undefined> {
    if (this.#stream.writableLength > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#stream.write("", () => resolve()));
    }
    // Streams report system errors only in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failure === undefined || systemCode(this.#failure) === "EPIPE") return undefined;
    return new FeedkeyError("output", `cannot write to standard output: ${causeInWords(this.#failure)}`, {
      details: { cause: systemCode(this.#failure) ?? "unknown" },
      cause: this.#failure,
      hint: "free some disk space or send the output elsewhere, then run the command again",
    });
  }
}

/** Writes a whole text to a file. Node's own stream would treat a write as complete even if a full disk cut it short. */
function writeWhole(file: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(file, rest));
}

function regularFile(stream: NodeJS.WriteStream & { readonly fd?: unknown }): number | undefined {
  const { fd } = stream;
  return typeof fd === "number" && fstatSync(fd).isFile() ? fd : undefined;
}
