/** Collects the pieces of an answer's body, up to a size limit. */
import type { FeedkeyError } from "../error.ts";
import { unavailable } from "./failure.ts";
import type { AnswerHead, GetOptions } from "./types.ts";

/** Returns the number of bytes in `Content-Length`; undefined if the header is missing or malformed. */
function announced(head: AnswerHead): number | undefined {
  const text = head.headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

type TakeOptions = Pick<GetOptions, "maxBytes" | "beginning" | "sink" | "onProgress">;

/** Passes the pieces of one body to the caller's sink, or keeps the pieces if there is no sink. Stops at the size limit. */
export class BodyTaker {
  readonly #url: URL;
  readonly #head: AnswerHead;
  readonly #options: TakeOptions;
  readonly #total: number | undefined;
  readonly #kept: Uint8Array[] = [];
  #received = 0;

  /** @throws FeedkeyError `unavailable` (`too_large`) if the answer announces more bytes than the size limit */
  constructor(url: URL, head: AnswerHead, options: TakeOptions) {
    this.#url = url;
    this.#head = head;
    this.#options = options;
    this.#total = announced(head);
    // If the body is more than 16 times too long, feedkey does not read even its beginning.
    const most = options.maxBytes * (options.beginning === true ? 16 : 1);
    if (this.#total !== undefined && this.#total > most) throw this.#tooLarge(`${this.#total} bytes`);
  }

  /** Whether the body was too long, so that `body` returns only its beginning. */
  get isCut(): boolean {
    return this.#options.beginning === true && this.#received > this.#options.maxBytes;
  }

  /** Takes one piece of the body. @throws FeedkeyError `unavailable` (`too_large`), and every error of the sink */
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

  /** Returns the kept bytes of the body; empty if the pieces went to a sink. */
  body(): Uint8Array {
    return Buffer.concat(this.#kept);
  }

  #tooLarge(found: string): FeedkeyError {
    return unavailable(this.#url, "too_large", `expected at most ${this.#options.maxBytes} bytes, found ${found}`, {
      hint: "the server sent another file than feedkey asked for, or is broken; use another server",
    });
  }
}
