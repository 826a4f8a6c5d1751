/** Work on many items that several threads share. Each thread takes the next few free items. */
import { parentPort, Worker } from "node:worker_threads";
import { FeedkeyError } from "./error.ts";

/** How many results a thread reports at once. */
const REPORTED = 64;

/** The message that tells threads on which items they work together. */
export interface Share<Item = unknown> {
  readonly id: number;
  /** Name of the task for each item. The program that the threads run uses this name to choose the work. */
  readonly task: string;
  readonly items: readonly Item[];
  /** Data that the task needs for every item. */
  readonly terms: unknown;
  /** How many items a thread takes at once. */
  readonly batch: number;
  /** One Int32 with the number of the next free batch. */
  readonly next: SharedArrayBuffer;
}

/** Works on some items. Must not throw: any error is a bug. */
type Work<Item, Result> = (items: readonly Item[], terms: unknown) => Result[] | Promise<Result[]>;

/** A thread's answer: some results, and whether the thread sends no more. */
interface Report {
  readonly id: number;
  readonly results: readonly unknown[];
  readonly isLast: boolean;
}

let shares = 0;

/** Makes the message for threads that share these items. @param batch how many items a thread takes at once */
export function shareOf<Item>(task: string, items: readonly Item[], terms: unknown, batch: number): Share<Item> {
  return { id: shares++, task, items, terms, batch, next: new SharedArrayBuffer(4) };
}

/** Takes free batches and works on them, until no free batch is left. */
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

/** Returns how many items all threads together have taken so far. */
export function takenOf({ items, batch, next }: Share): number {
  return Math.min(items.length, Atomics.load(new Int32Array(next), 0) * batch);
}

/**
 * Works on one share after another, in this thread and in other threads.
 * @param onResults called in this thread with the results of some items at a time, in no particular order
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
      // After a failure, no thread may take another batch.
      Atomics.store(new Int32Array(share.next), 0, share.items.length);
      await Promise.allSettled(there);
    }
  }
}

/** Another thread. A thread takes about 40 ms to start, so start it before the work is known. */
export class Helper {
  // The URL has the name of the compiled file. A task's results are sent soon; without a limit, V8 would reserve 48 MB for them.
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  readonly #died: Promise<never>;
  /** Shares that it works on now. */
  #serving = 0;

  constructor() {
    this.#died = new Promise((_, reject) => {
      const died = (cause: unknown) => reject(new FeedkeyError("internal", "a thread died", { cause }));
      this.#worker.on("messageerror", died);
      this.#worker.on("error", died);
      this.#worker.on("exit", (status) => died(new Error(`it ended with status ${status}`)));
    });
    // `serve` reports the death of a thread. Without this handler the rejection would end the process.
    this.#died.catch(() => undefined);
    // An idle thread must not keep the process alive.
    this.#worker.unref();
  }

  /**
   * Lets the thread work on a share until no item is left.
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
      // Another share may still be waited for: without the reference, the process would end first.
      if (--this.#serving === 0) this.#worker.unref();
    });
  }

  async end(): Promise<void> {
    // An unreferenced thread keeps nobody waiting: the process would end before this does.
    this.#worker.ref();
    await this.#worker.terminate();
  }
}

/**
 * Runs in a thread: works on every share that the thread receives.
 * @param tasks loads the work for each task name on demand
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
