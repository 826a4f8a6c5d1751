/** A thread that scans packages together with others. Anything but a FeedkeyError is a bug and ends it. */
import { parentPort } from "node:worker_threads";
import { type ScanRequest, scanAndReport } from "./scan-pool.ts";

parentPort?.on("message", (request: ScanRequest) =>
  scanAndReport(request, (report) => parentPort?.postMessage(report)),
);
