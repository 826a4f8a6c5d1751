/** Writes .xz files with libarchive, compiled to WebAssembly, because Node has no encoder. */
import { File } from "node:buffer";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { FeedkeyError } from "../../error.ts";

/** The interface of the library's worker thread, as the library's wrapper for Node uses it. */
interface Writer {
  writeArchive(
    files: readonly { file: File; pathname: string }[],
    compression: string,
    format: string,
    passphrase: null,
  ): Promise<Uint8Array>;
}

/**
 * Compresses like `xz -6`, with a dictionary of 8 MiB and CRC-64. Returns one complete stream. Several such streams can be joined into one
 * file. The same content always gives the same bytes.
 * @throws FeedkeyError `internal` if the worker thread fails
 */
export async function compressXz(content: Uint8Array): Promise<Uint8Array> {
  const { proxy, wrap } = await import("comlink");
  const { default: endpoint } = await import("comlink/dist/esm/node-adapter.mjs");
  // The library's loader fails if a folder in its path has a space in its name. The loader also does not end a thread that failed.
  const program = createRequire(import.meta.url).resolve("libarchive.js/dist/worker-bundle-node.mjs");
  const worker = new Worker(program);
  const died = new Promise<never>((_, reject) => {
    worker.on("error", (cause) => reject(new FeedkeyError("internal", "the thread that writes .xz failed", { cause })));
  });
  const write = async () => {
    const Front = wrap<new (ready: () => void) => Writer>(endpoint(worker));
    const writer = await new Promise<Writer>((resolve, reject) => {
      const made = new Front(proxy(() => made.then(resolve, reject)));
      made.catch(reject);
    });
    const files = [{ file: new File([content], "content"), pathname: "content" }];
    return await writer.writeArchive(files, "xz", "raw", null);
  };
  try {
    return await Promise.race([write(), died]);
  } finally {
    await worker.terminate();
  }
}
