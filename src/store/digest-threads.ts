/** Digesting many files on two cores: what `sha256sum` takes on one, in half the time (`docs/performance.md`). */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FileDigest } from "./file-digest.ts";
import { digestShared, isUnfinished, type SharedFiles, sharedDigest, shareFiles } from "./shared-digests.ts";

export class DigestThreads {
  #worker: Worker | undefined;
  /** Told in this order that the second thread has done what it could. */
  readonly #waiting: (() => void)[] = [];

  /**
   * Starts the second thread, which takes 40 ms to be ready: best begun before there is anything to do. On a machine with one core
   * there is none.
   * @param files how many there will be; for one alone there is nothing to share
   */
  constructor(files = Number.POSITIVE_INFINITY) {
    if (availableParallelism() < 2 || files < 2) return;
    // The name that the file has once it is compiled.
    const worker = new Worker(new URL("./digest-worker.js", import.meta.url));
    this.#worker = worker;
    worker.on("message", () => this.#waiting.shift()?.());
    worker.on("error", () => this.#drop());
    // A thread that dies is no reason to stop: what it left is done here.
    worker.on("exit", () => {
      for (const done of this.#waiting.splice(0)) done();
    });
    worker.unref();
  }

  /** Begins to digest files in the second thread. */
  begin(paths: readonly string[]): Digesting {
    const files = shareFiles(paths);
    const worker = this.#worker;
    if (worker === undefined) return new Digesting(files, Promise.resolve());
    const finished = new Promise<void>((resolve) => this.#waiting.push(resolve));
    worker.postMessage(files);
    return new Digesting(files, finished, worker);
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

/** Files that are being digested. */
export class Digesting {
  readonly #files: SharedFiles;
  readonly #finished: Promise<void>;
  readonly #worker: Worker | undefined;

  constructor(files: SharedFiles, finished: Promise<void>, worker?: Worker) {
    this.#files = files;
    this.#finished = finished;
    this.#worker = worker;
  }

  /**
   * Lets this thread take part, which is busy until it is done.
   * @param onProgress is told the number of files that were begun
   * @returns a function that gives the digest of a file by its place in the list: undefined if there is none or it is no
   *   file. It throws as `digestFile`.
   */
  async join(onProgress: (begun: number) => void): Promise<(index: number) => FileDigest | undefined> {
    const files = this.#files;
    digestShared(files, onProgress);
    if (isUnfinished(files)) {
      this.#worker?.ref();
      await this.#finished;
    }
    return (index) => sharedDigest(files, index);
  }
}
