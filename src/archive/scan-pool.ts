import { Worker } from "node:worker_threads";
import { FeedkeyError } from "../error.ts";
import type { FeedFormat } from "../profile/types.ts";
import { type ScanOutcome, scanBatch } from "./scan-batch.ts";
import type { FoundPackage } from "./scan-walk.ts";

/** Files taken at once: few messages, and an even load at the end. */
const BATCH_FILES = 16;
/** How many batches a worker reports at once. */
const REPORTED_BATCHES = 4;

/** What a thread is sent. */
export interface ScanRequest {
  readonly files: readonly FoundPackage[];
  readonly format: FeedFormat;
  /** Of one Int32: the next batch that nobody has taken. */
  readonly next: SharedArrayBuffer;
}

/** A thread's answer: outcomes, and with the last of them that there is nothing left. */
export interface ScanReport {
  readonly outcomes: readonly ScanOutcome[];
  readonly isLast: boolean;
}

/** Makes what several threads are sent to scan these files together. */
export function scanRequest(files: readonly FoundPackage[], format: FeedFormat): ScanRequest {
  return { files, format, next: new SharedArrayBuffer(4) };
}

/** Takes batch after batch that nobody else has taken, until none is left. */
export async function* takeBatches({ files, format, next }: ScanRequest): AsyncGenerator<ScanOutcome[], void> {
  const counter = new Int32Array(next);
  for (;;) {
    const start = Atomics.add(counter, 0, 1) * BATCH_FILES;
    if (start >= files.length) return;
    yield await scanBatch(files.slice(start, start + BATCH_FILES), format);
  }
}

/** What a worker does with a request: it reports what `takeBatches` gives, several batches at once. */
export async function scanAndReport(request: ScanRequest, post: (report: ScanReport) => void): Promise<void> {
  let outcomes: ScanOutcome[] = [];
  for await (const batch of takeBatches(request)) {
    for (const outcome of batch) outcomes.push(outcome);
    if (outcomes.length < BATCH_FILES * REPORTED_BATCHES) continue;
    post({ outcomes, isLast: false });
    outcomes = [];
  }
  post({ outcomes, isLast: true });
}

/**
 * Scans files in this thread and some others: while those start, this one works.
 * @param threads how many others
 * @param onOutcomes called in this thread for some files at a time, in no particular order
 * @param early one of them that was started before; it ends here, used or not
 * @throws FeedkeyError `internal` if a thread dies
 */
export async function scanInThreads(
  files: readonly FoundPackage[],
  threads: number,
  onOutcomes: (outcomes: readonly ScanOutcome[]) => void,
  format: FeedFormat = "opkg",
  early?: ScanThread,
): Promise<void> {
  const request = scanRequest(files, format);
  const started = early === undefined ? [] : [early];
  if (threads === 0) await early?.end();
  const workers = Array.from({ length: threads }, () => scanInWorker(request, onOutcomes, started.pop()));
  try {
    await Promise.all([scanHere(request, onOutcomes), ...workers]);
  } finally {
    // After a failure nobody is to take another one.
    Atomics.store(new Int32Array(request.next), 0, files.length);
    await Promise.allSettled(workers);
  }
}

async function scanHere(request: ScanRequest, onOutcomes: (outcomes: readonly ScanOutcome[]) => void): Promise<void> {
  for await (const outcomes of takeBatches(request)) onOutcomes(outcomes);
}

/**
 * Lets a thread of its own take part.
 * @throws FeedkeyError `internal` if it dies
 */
export async function scanInWorker(
  request: ScanRequest,
  onOutcomes: (outcomes: readonly ScanOutcome[]) => void,
  thread = new ScanThread(),
): Promise<void> {
  try {
    await thread.serve(request, onOutcomes);
  } finally {
    await thread.end();
  }
}

/** A thread that scans: one that is started before there is a request is ready for it some 50 ms earlier. */
export class ScanThread {
  // The name that the file has once it is compiled.
  readonly #worker = new Worker(new URL("./scan-worker.js", import.meta.url));
  readonly #died: Promise<never>;

  constructor() {
    this.#died = new Promise((_, reject) => {
      const died = (cause: unknown) => reject(new FeedkeyError("internal", "a scanning thread died", { cause }));
      this.#worker.on("messageerror", died);
      this.#worker.on("error", died);
      this.#worker.on("exit", (status) => died(new Error(`it ended with status ${status}`)));
    });
    // It ends in the end; whoever waits for its reports hears of it before.
    this.#died.catch(() => undefined);
  }

  /**
   * Sends the request and takes reports until the last.
   * @throws FeedkeyError `internal` if the thread dies
   */
  async serve(request: ScanRequest, onOutcomes: (outcomes: readonly ScanOutcome[]) => void): Promise<void> {
    const reported = new Promise<void>((resolve, reject) => {
      this.#worker.on("message", ({ outcomes, isLast }: ScanReport) => {
        try {
          onOutcomes(outcomes);
          if (isLast) resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
    this.#worker.postMessage(request);
    await Promise.race([reported, this.#died]);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
