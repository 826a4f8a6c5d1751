/** A thread that scans the packages it is sent, batch by batch. Anything but a FeedkeyError is a bug and ends it. */
import { parentPort } from "node:worker_threads";
import { scanBatch } from "./scan-batch.ts";
import type { FoundPackage } from "./scan-walk.ts";

parentPort?.on("message", async (batch: readonly FoundPackage[]) => {
  const outcomes = await scanBatch(batch);
  const buffers = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.scanned.control.buffer as ArrayBuffer] : []));
  parentPort?.postMessage(outcomes, buffers);
});
