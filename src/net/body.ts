/** Collects the pieces of a body, up to a limit. */
import type { FeedkeyError } from "../error.ts";
import { unavailable } from "./failure.ts";
import type { AnswerHead, GetOptions } from "./types.ts";

/** The length that an answer announces, if it is well-formed. */
function announced(head: AnswerHead): number | undefined {
  const text = head.headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

type TakeOptions = Pick<GetOptions, "maxBytes" | "beginning" | "sink" | "onProgress">;

/** Passes the pieces of one body to the caller's sink or keeps them, and stops at the limit. */
export class BodyTaker {
  readonly #url: URL;
  readonly #head: AnswerHead;
  readonly #options: TakeOptions;
  readonly #total: number | undefined;
  readonly #kept: Uint8Array[] = [];
  #received = 0;

  /** @throws FeedkeyError `unavailable` (`too_large`) when the announced length is above the limit */
  constructor(url: URL, head: AnswerHead, options: TakeOptions) {
    this.#url = url;
    this.#head = head;
    this.#options = options;
    this.#total = announced(head);
    // If it is many times too long, even its beginning is not read.
    const most = options.maxBytes * (options.beginning === true ? 16 : 1);
    if (this.#total !== undefined && this.#total > most) throw this.#tooLarge(`${this.#total} bytes`);
  }

  /** Whether the body was too long, so that only the beginning was kept. */
  get isCut(): boolean {
    return this.#options.beginning === true && this.#received > this.#options.maxBytes;
  }

  /** @throws FeedkeyError `unavailable` (`too_large`), and whatever the sink throws */
  async take(chunk: Uint8Array): Promise<void> {
    const room = this.#options.maxBytes - this.#received;
    this.#received += chunk.length;
    if (this.isCut) {
      this.#kept.push(chunk.subarray(0, room));
      return;
    }
    if (this.#received > this.#options.maxBytes) throw this.#tooLarge("more");
    if (this.#options.sink === undefined) this.#kept.push(chunk);
    else await this.#options.sink(chunk, this.#head);
    this.#options.onProgress?.(this.#received, this.#total);
  }

  /** What was kept; empty when a sink took it. */
  body(): Uint8Array {
    return Buffer.concat(this.#kept);
  }

  #tooLarge(found: string): FeedkeyError {
    return unavailable(this.#url, "too_large", `expected at most ${this.#options.maxBytes} bytes, found ${found}`, {
      hint: "this is not the file that was asked for, or the server is broken; use another server",
    });
  }
}
