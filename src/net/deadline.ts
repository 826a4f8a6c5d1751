/** The two time limits for one request: one until the head of the answer arrives, the other until the whole answer has arrived. */
import type { Duration } from "../time.ts";
import { unavailable } from "./failure.ts";

/**
 * Aborts a request through `signal` when a time limit is over; the reason of the abort is the error `unavailable` that the
 * caller throws. The caller must call `stop` in the end, because a running timer keeps the process alive.
 */
export class Deadline {
  readonly #url: URL;
  readonly #controller = new AbortController();
  readonly #total: NodeJS.Timeout | undefined;
  #head: NodeJS.Timeout | undefined;

  /** @param total the milliseconds for the whole request, including redirects; undefined for no time limit */
  constructor(url: URL, total: Duration | undefined) {
    this.#url = url;
    if (total !== undefined) this.#total = setTimeout(() => this.#expire("no complete answer", total), total);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the time limit for the head of an answer. */
  awaitHead(within: Duration): void {
    clearTimeout(this.#head);
    this.#head = setTimeout(() => this.#expire("no answer", within), within);
  }

  headArrived(): void {
    clearTimeout(this.#head);
  }

  stop(): void {
    clearTimeout(this.#head);
    clearTimeout(this.#total);
  }

  #expire(what: string, within: Duration): void {
    this.#controller.abort(
      unavailable(this.#url, "timeout", `${what} within ${within / 1000} seconds`, {
        hint: "the server is slow or stuck; try again later or use another server",
      }),
    );
  }
}
