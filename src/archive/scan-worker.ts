/** A thread that scans the packages it is sent, batch by batch. Anything but a FeedkeyError is a bug and ends it. */
import { parentPort } from "node:worker_threads";
import { scanBatch } from "./scan-batch.ts";
import type { ScanRequest } from "./scan-pool.ts";

parentPort?.on("message", async ({ batch, format }: ScanRequest) => {
  const outcomes = await scanBatch(batch, format);
  const buffers = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.scanned.control.buffer as ArrayBuffer] : []));
  parentPort?.postMessage(outcomes, buffers);
});
