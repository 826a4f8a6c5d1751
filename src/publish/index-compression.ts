/** The compressed forms of an index. */
import { FeedkeyError } from "../error.ts";
import { compressionOf } from "../formats/format.ts";
import { asBuffer } from "../formats/line-cursor.ts";
import { decompress } from "../packages/compression/compression.ts";
import { gzipMembers } from "../packages/compression/gzip-members.ts";
import { compressXz } from "../packages/compression/xz-writer.ts";
import { loadZstd } from "../packages/compression/zstd-library.ts";
import type { SummaryForm } from "../profile/types.ts";

const writers: Readonly<Record<SummaryForm, (text: Uint8Array) => Promise<Uint8Array>>> = {
  gz: (text) => gzipMembers(asBuffer(text)),
  xz: compressXz,
  zst: async (text) => (await loadZstd()).compress(text),
};

/**
 * Compresses an index; the same index gives the same bytes.
 * @throws FeedkeyError `internal` if the result does not decompress to the index
 */
export async function compressIndex(text: Uint8Array, form: SummaryForm = "gz"): Promise<Uint8Array> {
  const written = await writers[form](text);
  if (form === "gz") return written;
  // A file that clients can't read must never be signed.
  const read = await decompress(written, compressionOf[form], text.length, "internal");
  if (Buffer.compare(read, text) !== 0) {
    throw new FeedkeyError("internal", `the .${form} form does not decompress to the index`);
  }
  return written;
}
