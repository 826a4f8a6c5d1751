import { Worker } from "node:worker_threads";
import { FeedkeyError } from "../error.ts";
import type { FeedFormat } from "../profile/types.ts";
import type { ScanOutcome } from "./scan-batch.ts";
import type { FoundPackage } from "./scan-walk.ts";

/** A batch ends at whichever comes first: few messages for small packages, an even load for large ones. */
const BATCH_FILES = 16;
const BATCH_BYTES = 16n * 1024n * 1024n;

/** What a thread is sent. */
export interface ScanRequest {
  readonly batch: readonly FoundPackage[];
  readonly format: FeedFormat;
}

/**
 * Scans files in several threads; each takes the next batch when it is done with one.
 * @param onOutcomes called in this thread for each batch, in no particular order
 * @throws FeedkeyError `internal` if a thread dies
 */
export async function scanInThreads(
  files: readonly FoundPackage[],
  threads: number,
  onOutcomes: (outcomes: readonly ScanOutcome[]) => void,
  format: FeedFormat = "opkg",
): Promise<void> {
  const batches = batchesOf(files);
  const workers = Array.from({ length: Math.min(threads, batches.length) }, startWorker);
  try {
    await Promise.all(workers.map((worker) => serve(worker, batches, onOutcomes, format)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function startWorker(): Worker {
  // The name that the file has once it is compiled.
  return new Worker(new URL("./scan-worker.js", import.meta.url));
}

function batchesOf(files: readonly FoundPackage[]): FoundPackage[][] {
  const batches: FoundPackage[][] = [];
  let bytes = BATCH_BYTES;
  for (const file of files) {
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH_FILES || bytes >= BATCH_BYTES) {
      batches.push([file]);
      bytes = file.identity.size;
    } else {
      last.push(file);
      bytes += file.identity.size;
    }
  }
  return batches;
}

/** Feeds one worker until no batch is left. */
function serve(
  worker: Worker,
  batches: FoundPackage[][],
  onOutcomes: (outcomes: readonly ScanOutcome[]) => void,
  format: FeedFormat,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = () => {
      const batch = batches.shift();
      if (batch === undefined) resolve();
      else worker.postMessage({ batch, format } satisfies ScanRequest);
    };
    const died = (cause: unknown) => reject(new FeedkeyError("internal", "a scanning thread died", { cause }));
    worker.on("message", (outcomes: readonly ScanOutcome[]) => {
      try {
        onOutcomes(outcomes);
        next();
      } catch (error) {
        reject(error);
      }
    });
    worker.on("messageerror", died);
    worker.on("error", died);
    worker.on("exit", (status) => died(new Error(`it ended with status ${status}`)));
    next();
  });
}
