/** A pkgsrc feed, usually `All/`: `pkg_summary.gz`, which is signed as it lies there. */
import { FeedkeyError } from "../error.ts";
import { compareDewey } from "../index-format/dewey.ts";
import { withFileFacts } from "../index-format/package-summary.ts";
import { readSummaryPackages, SummaryScanner } from "../index-format/pkgsrc.ts";
import { decompress, detectCompression } from "../package/compression.ts";
import type { FeedLayout } from "./feed-layout.ts";
import { compressIndex } from "./index-compression.ts";

const name = "pkg_summary.gz";

/** As large an index as clients read. */
export const maxSummaryBytes = 512 * 1024 * 1024;

async function textOf(signed: Uint8Array): Promise<Uint8Array> {
  return await decompress(signed, detectCompression(signed), maxSummaryBytes, "bad_index");
}

export const pkgsrcFeed: FeedLayout = {
  signed: name,

  list({ control, size, sha256 }, path) {
    const stanza = withFileFacts(control, { filename: path, size, sha256 });
    const scanner = new SummaryScanner(stanza);
    scanner.next();
    const entry = scanner.entry();
    return { name: entry.name, version: entry.version, architecture: entry.architecture, path, stanza };
  },

  compareVersions: compareDewey,

  textOf,

  read: readSummaryPackages,

  async files(_folder, text, before) {
    const old = before && (await textOf(before).catch(ignoreBadIndex));
    // Another program may have compressed it otherwise: what clients have cached stays as it is.
    if (before !== undefined && old !== undefined && Buffer.compare(old, text) === 0) {
      return { signed: before, writes: [] };
    }
    const signed = await compressIndex(text);
    return { signed, writes: [{ name, data: signed }] };
  },
};

/** Whatever lies there is going to be replaced. */
function ignoreBadIndex(error: unknown): undefined {
  if (!(error instanceof FeedkeyError)) throw error;
  return undefined;
}
