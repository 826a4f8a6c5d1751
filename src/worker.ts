/** The program of the worker threads. Any error except a FeedkeyError is a bug and ends the thread. */
import { serveShares } from "./threads.ts";

serveShares({
  scan: async () => (await import("./publish/scan/scan-batch.ts")).scanBatch,
  stat: async () => (await import("./publish/scan/file-identity.ts")).statBatch,
  digest: async () => (await import("./files/digests.ts")).digestBatch,
});
