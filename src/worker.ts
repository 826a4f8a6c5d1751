/** The program of the threads beside the first one. Anything but a FeedkeyError is a bug and ends them. */
import { serveShares } from "./threads.ts";

serveShares({
  scan: async () => (await import("./publish/scan/scan-batch.ts")).scanBatch,
  digest: async () => (await import("./files/digests.ts")).digestBatch,
});
