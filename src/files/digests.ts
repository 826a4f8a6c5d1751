/** Hashes many files on two cores (`docs/performance.md`). */
import { availableParallelism } from "node:os";
import { Helper, type Share, shareOf, takeBatches, takenOf } from "../threads.ts";
import { digestFile, type FileDigest } from "./file-digest.ts";

interface Digested {
  readonly path: string;
  /** The file's digest; undefined if the file is missing or is not a regular file. */
  readonly found: FileDigest | undefined;
}

/** Hashes files. Leaves out a file that it can't read: `Digesting.join` reads the file again and then throws the error. */
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
   * Starts the second thread, unless the machine has only one core.
   * @param files the number of files that the caller will hash; for a single file, feedkey starts no second thread
   */
  constructor(files = Number.POSITIVE_INFINITY) {
    this.#helper = availableParallelism() < 2 || files < 2 ? undefined : new Helper();
  }

  /** Begins to hash files on the second thread. */
  begin(paths: readonly string[]): Digesting {
    return new Digesting(shareOf("digest", paths, undefined, 1), this.#helper);
  }

  /** Ends the second thread. */
  async close(): Promise<void> {
    await this.#helper?.end();
  }
}

/** A list of files that the second thread hashes, and their digests. */
export class Digesting {
  readonly #share: Share<string>;
  readonly #found = new Map<string, FileDigest | undefined>();
  readonly #served: Promise<void> | undefined;

  constructor(share: Share<string>, helper: Helper | undefined) {
    this.#share = share;
    // If the second thread dies, `join` hashes its files on this thread.
    const isEmpty = share.items.length === 0;
    this.#served = isEmpty
      ? undefined
      : helper?.serve(share, (results: readonly Digested[]) => this.#note(results)).catch(() => undefined);
  }

  /**
   * Hashes files on this thread too, until all files are hashed.
   * @param onProgress receives the number of files that both threads have begun to hash
   * @returns a function that returns a file's digest for the file's position in the list; undefined if the file is missing or
   *   is not a regular file. The function throws as `digestFile`.
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
