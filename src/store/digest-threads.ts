/** Digesting many files on two cores: what `sha256sum` takes on one, in half the time (`docs/performance.md`). */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FileDigest } from "./file-digest.ts";
import { digestShared, isUnfinished, sharedDigest, shareFiles } from "./shared-digests.ts";

export class DigestThreads {
  #worker: Worker | undefined;

  /**
   * Starts the second thread, which takes 40 ms to be ready: best begun before there is anything to do. On a machine with one core
   * there is none.
   * @param files how many there will be; for one alone there is nothing to share
   */
  constructor(files = Number.POSITIVE_INFINITY) {
    if (availableParallelism() < 2 || files < 2) return;
    // The name that the file has once it is compiled.
    this.#worker = new Worker(new URL("./digest-worker.js", import.meta.url));
    this.#worker.on("error", () => this.#drop());
    this.#worker.unref();
  }

  /**
   * Digests files. This thread is busy until it is done.
   * @param onProgress is told the number of files that were begun
   * @returns a function that gives the digest of a file by its place in the list: undefined if there is none or it is no
   *   file. It throws as `digestFile`.
   */
  async digest(
    paths: readonly string[],
    onProgress: (begun: number) => void,
  ): Promise<(index: number) => FileDigest | undefined> {
    const files = shareFiles(paths);
    const worker = this.#worker;
    // A thread that dies is no reason to stop: what it left is done here.
    const finished = new Promise<void>((resolve) => {
      worker?.once("message", () => resolve()).once("exit", () => resolve());
    });
    worker?.postMessage(files);
    digestShared(files, onProgress);
    if (isUnfinished(files)) {
      worker?.ref();
      await finished;
    }
    return (index) => sharedDigest(files, index);
  }

  /** Ends the second thread. */
  async close(): Promise<void> {
    await this.#drop()?.terminate();
  }

  #drop(): Worker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    return worker;
  }
}
