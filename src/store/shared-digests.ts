/**
 * A list of files that two threads digest together: each takes the next one that nobody has taken, and writes what it
 * found into memory that both see. No message is passed for a file.
 */
import { digestFile, type FileDigest } from "./file-digest.ts";

/** What a thread is sent. */
export interface SharedFiles {
  readonly paths: readonly string[];
  /** Of Int32: the next file; then for each its state. */
  readonly states: SharedArrayBuffer;
  /** For each file its SHA-256 and its size as a double, in 40 bytes. */
  readonly results: SharedArrayBuffer;
}

const recordLength = 40;
const state = { waiting: 0, taken: 1, digested: 2, absent: 3, failed: 4 } as const;

/** Makes the memory for a list. */
export function shareFiles(paths: readonly string[]): SharedFiles {
  return {
    paths,
    states: new SharedArrayBuffer(4 * (1 + paths.length)),
    results: new SharedArrayBuffer(recordLength * paths.length),
  };
}

/**
 * Digests files until none is left that nobody has taken.
 * @param onDone is told after each with the number of files taken so far, by whomever
 */
export function digestShared({ paths, states, results }: SharedFiles, onDone: (taken: number) => void): void {
  const flags = new Int32Array(states);
  const bytes = Buffer.from(results);
  for (let index = Atomics.add(flags, 0, 1); index < paths.length; index = Atomics.add(flags, 0, 1)) {
    Atomics.store(flags, index + 1, state.taken);
    Atomics.store(flags, index + 1, digestInto(bytes.subarray(recordLength * index), paths[index] ?? ""));
    onDone(Math.min(paths.length, Atomics.load(flags, 0)));
  }
}

function digestInto(record: Buffer, path: string): number {
  try {
    const found = digestFile(path);
    if (found === undefined) return state.absent;
    record.write(found.sha256, 0, "hex");
    record.writeDoubleLE(found.size, 32);
    return state.digested;
  } catch {
    // Whoever asks for the result meets the failure again, where it can be told.
    return state.failed;
  }
}

/** Whether the other thread holds a file that it has not finished. */
export function isUnfinished({ states }: SharedFiles): boolean {
  return new Int32Array(states).subarray(1).includes(state.taken);
}

/**
 * What was found of a file; one that no thread finished is digested now.
 * @throws FeedkeyError as `digestFile`
 */
export function sharedDigest({ paths, states, results }: SharedFiles, index: number): FileDigest | undefined {
  const found = Atomics.load(new Int32Array(states), index + 1);
  if (found === state.absent) return undefined;
  if (found !== state.digested) return digestFile(paths[index] ?? "");
  const record = Buffer.from(results, recordLength * index, recordLength);
  return { sha256: record.toString("hex", 0, 32), size: record.readDoubleLE(32) };
}
