/** Where the pieces of a body go, and when there are too many of them. */
import type { FeedkeyError } from "../error.ts";
import { unavailable } from "./failure.ts";
import type { AnswerHead, GetOptions } from "./types.ts";

/** The length that an answer announces, if it does so properly. */
function announced(head: AnswerHead): number | undefined {
  const text = head.headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Hands the pieces of one body to the caller's sink or keeps them, and stops at the limit. */
export class BodyTaker {
  readonly #url: URL;
  readonly #head: AnswerHead;
  readonly #options: Pick<GetOptions, "maxBytes" | "sink" | "onProgress">;
  readonly #total: number | undefined;
  readonly #kept: Uint8Array[] = [];
  #received = 0;

  /** @throws FeedkeyError `unavailable` (`too_large`) when the announced length is above the limit */
  constructor(url: URL, head: AnswerHead, options: Pick<GetOptions, "maxBytes" | "sink" | "onProgress">) {
    this.#url = url;
    this.#head = head;
    this.#options = options;
    this.#total = announced(head);
    if (this.#total !== undefined && this.#total > options.maxBytes) throw this.#tooLarge(`${this.#total} bytes`);
  }

  /** @throws FeedkeyError `unavailable` (`too_large`), and whatever the sink throws */
  async take(chunk: Uint8Array): Promise<void> {
    this.#received += chunk.length;
    if (this.#received > this.#options.maxBytes) throw this.#tooLarge("more");
    if (this.#options.sink === undefined) this.#kept.push(chunk);
    else await this.#options.sink(chunk, this.#head);
    this.#options.onProgress?.(this.#received, this.#total);
  }

  /** What was kept; empty when a sink took it. */
  body(): Uint8Array {
    const whole = new Uint8Array(this.#kept.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#kept) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  #tooLarge(found: string): FeedkeyError {
    return unavailable(this.#url, "too_large", `expected at most ${this.#options.maxBytes} bytes, found ${found}`, {
      hint: "this is not the file that was asked for, or the server is broken; use another one",
    });
  }
}
