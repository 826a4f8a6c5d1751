/** Lets several threads work on a list of items. Each thread takes the next few free items from the list. */
import { parentPort, Worker } from "node:worker_threads";
import { FeedkeyError } from "./error.ts";

/** The minimum number of results in a message from a thread, except for the last message. */
const REPORTED = 64;

/** A list of items that several threads work on together, sent to each thread as a message. */
export interface Share<Item = unknown> {
  readonly id: number;
  /** The name of the task for each item. `worker.ts`, which the threads run, has a function for each task name. */
  readonly task: string;
  readonly items: readonly Item[];
  /** The data that the task needs for every item. */
  readonly terms: unknown;
  /** The number of items that a thread takes at once. */
  readonly batch: number;
  /** Shared memory with one Int32: the number of the next free batch of items. */
  readonly next: SharedArrayBuffer;
}

/** A function that works on some items. The function must not throw: any error is a bug. */
type Work<Item, Result> = (items: readonly Item[], terms: unknown) => Result[] | Promise<Result[]>;

/** A thread's message with some results, and whether this is the thread's last message for the share. */
interface Report {
  readonly id: number;
  readonly results: readonly unknown[];
  readonly isLast: boolean;
}

let shares = 0;

/** Prepares a list of items for several threads that work on the list together. @param batch the number of items that a thread takes at once */
export function shareOf<Item>(task: string, items: readonly Item[], terms: unknown, batch: number): Share<Item> {
  return { id: shares++, task, items, terms, batch, next: new SharedArrayBuffer(4) };
}

/** Takes free batches from a share and works on their items, until no free batch is left. */
export async function* takeBatches<Item, Result>(
  { items, terms, batch, next }: Share<Item>,
  work: Work<Item, Result>,
): AsyncGenerator<Result[], void> {
  const counter = new Int32Array(next);
  for (;;) {
    const start = Atomics.add(counter, 0, 1) * batch;
    if (start >= items.length) return;
    yield await work(items.slice(start, start + batch), terms);
  }
}

/** Returns the number of items that all threads together have taken so far. */
export function takenOf({ items, batch, next }: Share): number {
  return Math.min(items.length, Atomics.load(new Int32Array(next), 0) * batch);
}

/**
 * Works on one share after another, in this thread and in other threads.
 * @param onResults receives the results of some items at a time, in this thread and in no particular order
 * @throws FeedkeyError `internal` if a thread dies
 */
export async function workTogether<Item, Result>(
  shares: Iterable<Share<Item>>,
  work: Work<Item, Result>,
  helpers: readonly Helper[],
  onResults: (results: readonly Result[]) => void,
): Promise<void> {
  for (const share of shares) {
    const here = async () => {
      for await (const results of takeBatches(share, work)) onResults(results);
    };
    const there = helpers.map((helper) => helper.serve(share, onResults));
    try {
      await Promise.all([here(), ...there]);
    } finally {
      // After a failure, this counter keeps all threads from taking another batch.
      Atomics.store(new Int32Array(share.next), 0, share.items.length);
      await Promise.allSettled(there);
    }
  }
}

/** A second thread. It takes about 40 ms to start, so callers should make it before they know the items. */
export class Helper {
  // The URL names the compiled file. Threads soon send their results, so they need little memory; without the limit, V8 would
  // reserve 48 MB.
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  readonly #died: Promise<never>;
  /** The number of shares that the thread works on now. */
  #serving = 0;

  constructor() {
    this.#died = new Promise((_, reject) => {
      const died = (cause: unknown) => reject(new FeedkeyError("internal", "a thread died", { cause }));
      this.#worker.on("messageerror", died);
      this.#worker.on("error", died);
      this.#worker.on("exit", (status) => died(new Error(`it ended with status ${status}`)));
    });
    // `serve` reports the thread's death. Without this handler, an unhandled rejection would end the process.
    this.#died.catch(() => undefined);
    // An idle thread must not keep the process alive.
    this.#worker.unref();
  }

  /**
   * Lets the thread work on a share until no free item is left.
   * @throws FeedkeyError `internal` if the thread dies
   */
  async serve<Item, Result>(share: Share<Item>, onResults: (results: readonly Result[]) => void): Promise<void> {
    const reported = new Promise<void>((resolve, reject) => {
      const take = ({ id, results, isLast }: Report) => {
        if (id !== share.id) return;
        if (isLast) this.#worker.off("message", take);
        try {
          onResults(results as Result[]);
          if (isLast) resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.#worker.on("message", take);
    });
    this.#worker.postMessage(share);
    this.#serving++;
    this.#worker.ref();
    await Promise.race([reported, this.#died]).finally(() => {
      // While a caller waits for another share, the reference must stay: without it, the process would end too early.
      if (--this.#serving === 0) this.#worker.unref();
    });
  }

  async end(): Promise<void> {
    // Without the reference, the process could end while it waits here.
    this.#worker.ref();
    await this.#worker.terminate();
  }
}

/**
 * Works on every share that this thread receives. Only `worker.ts` calls this function.
 * @param tasks for each task name, a function that loads the task's code
 */
export function serveShares(tasks: Readonly<Record<string, () => Promise<Work<never, unknown>>>>): void {
  parentPort?.on("message", async (share: Share<never>) => {
    const work = await tasks[share.task]?.();
    if (work === undefined) throw new FeedkeyError("internal", `a thread knows no task "${share.task}"`);
    let results: unknown[] = [];
    const post = (isLast: boolean) => {
      parentPort?.postMessage({ id: share.id, results, isLast } satisfies Report);
      results = [];
    };
    for await (const some of takeBatches(share, work)) {
      for (const result of some) results.push(result);
      if (results.length >= REPORTED) post(false);
    }
    post(true);
  });
}
