/** The two deadlines for one fetch: until the head of the answer, and until the end of the fetch. */
import type { Duration } from "../time.ts";
import { unavailable } from "./failure.ts";

/**
 * Aborts its signal with the `unavailable` error to throw. The caller must call `stop`, because a running timer keeps the process
 * alive.
 */
export class Deadline {
  readonly #url: URL;
  readonly #controller = new AbortController();
  readonly #total: NodeJS.Timeout | undefined;
  #head: NodeJS.Timeout | undefined;

  /** @param total milliseconds for the whole fetch, redirects included; undefined for no time limit */
  constructor(url: URL, total: Duration | undefined) {
    this.#url = url;
    if (total !== undefined) this.#total = setTimeout(() => this.#expire("no complete answer", total), total);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts to wait for the head of an answer. */
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
