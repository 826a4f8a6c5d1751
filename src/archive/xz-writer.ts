/** Writing .xz: Node has nothing for it, and libarchive, made into WebAssembly, needs nothing but Node. */
import { File } from "node:buffer";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { FeedkeyError } from "../error.ts";

/** What the library's thread offers, as its own front for Node uses it. */
interface Writer {
  writeArchive(
    files: readonly { file: File; pathname: string }[],
    compression: string,
    format: string,
    passphrase: null,
  ): Promise<Uint8Array>;
}

/**
 * As `xz -6 --threads=1` does it: the same bytes each time, a dictionary of 8 MiB, CRC-64. It runs in a thread of its own.
 * @throws FeedkeyError `internal` if the thread dies
 */
export async function compressXz(content: Uint8Array): Promise<Uint8Array> {
  const { proxy, wrap } = await import("comlink");
  const { default: endpoint } = await import("comlink/dist/esm/node-adapter.mjs");
  // The library's front would not find this file below a folder with a space in its name, nor end a thread that failed.
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
