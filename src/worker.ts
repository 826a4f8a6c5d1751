/**
 * The program that worker threads run. The tasks return foreseen errors as results; any thrown error is a bug and ends the thread.
 */
import { serveShares } from "./threads.ts";

serveShares({
  scan: async () => (await import("./publish/scan/scan-batch.ts")).scanBatch,
  digest: async () => (await import("./files/digests.ts")).digestBatch,
});
