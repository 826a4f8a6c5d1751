/** The compressed form of an index. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

/** gzip without a time or a name, so that the same index gives the same bytes. */
export async function compressIndex(text: Uint8Array): Promise<Uint8Array> {
  return await compress(text, { level: 9 });
}
