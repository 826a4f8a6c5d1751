/** Digests many files on two cores (`docs/performance.md`). */
import { availableParallelism } from "node:os";
import { Helper, type Share, shareOf, takeBatches, takenOf } from "../threads.ts";
import { digestFile, type FileDigest } from "./file-digest.ts";

interface Digested {
  readonly path: string;
  /** Undefined if there is none or it is not a file. */
  readonly found: FileDigest | undefined;
}

/** Hashes files. Files that can't be read are left out; the error occurs again when their digest is requested. */
export function digestBatch(paths: readonly string[]): Digested[] {
  return paths.flatMap((path) => {
    try {
      return [{ path, found: digestFile(path) }];
    } catch {
      return [];
    }
  });
}

export class Digests {
  readonly #helper: Helper | undefined;

  /**
   * Starts the second thread. On a machine with one core there is none.
   * @param files how many there will be; one file alone needs no second thread
   */
  constructor(files = Number.POSITIVE_INFINITY) {
    this.#helper = availableParallelism() < 2 || files < 2 ? undefined : new Helper();
  }

  /** Begins to hash files in the second thread. */
  begin(paths: readonly string[]): Digesting {
    return new Digesting(shareOf("digest", paths, undefined, 1), this.#helper);
  }

  /** Ends the second thread. */
  async close(): Promise<void> {
    await this.#helper?.end();
  }
}

/** Files that are being hashed. */
export class Digesting {
  readonly #share: Share<string>;
  readonly #found = new Map<string, FileDigest | undefined>();
  readonly #served: Promise<void> | undefined;

  constructor(share: Share<string>, helper: Helper | undefined) {
    this.#share = share;
    // If a thread dies, this one does its work.
    this.#served = helper?.serve(share, (results: readonly Digested[]) => this.#note(results)).catch(() => undefined);
  }

  /**
   * Lets this thread take part; it is busy until all files are done.
   * @param onProgress called with the number of files begun so far
   * @returns a function that gives the digest of a file by its place in the list: undefined if there is none or it is not a
   *   file. It throws as `digestFile`.
   */
  async join(onProgress: (begun: number) => void): Promise<(index: number) => FileDigest | undefined> {
    for await (const results of takeBatches(this.#share, digestBatch)) {
      this.#note(results);
      onProgress(takenOf(this.#share));
    }
    await this.#served;
    return (index) => {
      const path = this.#share.items[index] ?? "";
      return this.#found.has(path) ? this.#found.get(path) : digestFile(path);
    };
  }

  #note(results: readonly Digested[]): void {
    for (const { path, found } of results) this.#found.set(path, found);
  }
}
