/** Writes standard output completely, or reports why this failed. */
import { fstatSync, writeSync } from "node:fs";
import { FeedkeyError, systemCode } from "../error.ts";
import { causeInWords } from "../files/system-error.ts";

/** Writes to a stream and remembers the first failure, so that no command ends with status 0 although its output is lost. */
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
   * Waits until the stream has taken all output.
   * @returns an error `output` if a part was lost; undefined also if the reader stopped reading
   */
  async failure(): Promise<FeedkeyError | undefined> {
    if (this.#stream.writableLength > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#stream.write("", () => resolve()));
    }
    // A stream reports a system error only in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failure === undefined || systemCode(this.#failure) === "EPIPE") return undefined;
    return new FeedkeyError("output", `cannot write to standard output: ${causeInWords(this.#failure)}`, {
      details: { cause: systemCode(this.#failure) ?? "unknown" },
      cause: this.#failure,
      hint: "free some disk space or send the output elsewhere, then run the command again",
    });
  }
}

/** Writes a whole text: Node's file stream treats a write that a full disk cut short as complete. */
function writeWhole(file: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(file, rest));
}

function regularFile(stream: NodeJS.WriteStream & { readonly fd?: unknown }): number | undefined {
  const { fd } = stream;
  return typeof fd === "number" && fstatSync(fd).isFile() ? fd : undefined;
}
