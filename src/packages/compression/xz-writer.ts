/** Writes .xz with libarchive as WebAssembly: Node has no encoder. */
import { File } from "node:buffer";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
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

/** Bytes of content in a stream: the size of the dictionary, so that splitting makes the output only 3 % larger. */
const streamSize = 8 * 1024 * 1024;
/** Each thread needs about 100 MB. */
const mostThreads = 4;

/**
 * Compresses like `xz -6`, with a dictionary of 8 MiB and CRC-64, in streams of that size, so that all cores share the work;
 * any reader joins the streams. The same content gives the same bytes on any number of cores.
 * @throws FeedkeyError `internal` if a thread dies
 */
export async function compressXz(content: Uint8Array): Promise<Uint8Array> {
  const count = Math.max(1, Math.ceil(content.length / streamSize));
  const streams: Uint8Array[] = [];
  let next = 0;
  const take = async () => {
    while (next < count) {
      const index = next++;
      streams[index] = await compressStream(content.subarray(index * streamSize, (index + 1) * streamSize));
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism(), mostThreads) }, take));
  return Buffer.concat(streams);
}

async function compressStream(content: Uint8Array): Promise<Uint8Array> {
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
