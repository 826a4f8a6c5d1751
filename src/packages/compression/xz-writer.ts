/** Writes .xz with libarchive as WebAssembly: Node has no encoder. */
import { File } from "node:buffer";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { FeedkeyError } from "../../error.ts";

/** The interface of the library's thread, as its own wrapper for Node uses it. */
interface Writer {
  writeArchive(
    files: readonly { file: File; pathname: string }[],
    compression: string,
    format: string,
    passphrase: null,
  ): Promise<Uint8Array>;
}

/**
 * As `xz -6` does it, with a dictionary of 8 MiB and CRC-64, in a stream that any reader joins with others. The same content gives
 * the same bytes.
 * @throws FeedkeyError `internal` if the thread that does it dies
 */
export async function compressXz(content: Uint8Array): Promise<Uint8Array> {
  const { proxy, wrap } = await import("comlink");
  const { default: endpoint } = await import("comlink/dist/esm/node-adapter.mjs");
  // The library's own loader fails below a folder with a space in its name, and does not end a thread that failed.
  const program = createRequire(import.meta.url).resolve("libarchive.js/dist/worker-bundle-node.mjs");
  const worker = new Worker(program);
  const died = new Promise<never>((_, reject) => {
    worker.on("error", (cause) => reject(new FeedkeyError("internal", "the thread that writes .xz died", { cause })));
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
