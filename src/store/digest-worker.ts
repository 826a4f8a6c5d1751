/** The second thread that digests files. */
import { parentPort } from "node:worker_threads";
import { digestShared, type SharedFiles } from "./shared-digests.ts";

parentPort?.on("message", (files: SharedFiles) => {
  digestShared(files, () => undefined);
  parentPort?.postMessage("done");
});
