/** The compressed forms of an index. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { FeedkeyError } from "../error.ts";
import { type Compression, decompress } from "../package/compression.ts";
import type { SummaryForm } from "../profile/types.ts";
import { compressXz } from "./xz-writer.ts";
import { compressZstd } from "./zstd-writer.ts";

const compressGzip = promisify(gzip);

const writers: Readonly<Record<SummaryForm, (text: Uint8Array) => Promise<Uint8Array>>> = {
  // Without a time or a name, so that the same index gives the same bytes.
  gz: (text) => compressGzip(text, { level: 9 }),
  xz: compressXz,
  zst: compressZstd,
};

/** What each form is to its readers. */
export const compressionOf: Readonly<Record<SummaryForm, Compression>> = { gz: "gzip", xz: "xz", zst: "zstd" };

/**
 * Compresses an index; the same index gives the same bytes.
 * @throws FeedkeyError `internal` if what comes out does not hold the index
 */
export async function compressIndex(text: Uint8Array, form: SummaryForm = "gz"): Promise<Uint8Array> {
  const written = await writers[form](text);
  if (form === "gz") return written;
  // What is signed as the archive's must never be a file that clients can't read.
  const read = await decompress(written, compressionOf[form], text.length, "internal");
  if (Buffer.compare(read, text) !== 0) {
    throw new FeedkeyError("internal", `what was written as .${form} does not hold the index`);
  }
  return written;
}
