/** The program that worker threads run. An error is a bug and ends the thread, unless it is a FeedkeyError. */
import { serveShares } from "./threads.ts";

serveShares({
  scan: async () => (await import("./publish/scan/scan-batch.ts")).scanBatch,
  digest: async () => (await import("./files/digests.ts")).digestBatch,
});
