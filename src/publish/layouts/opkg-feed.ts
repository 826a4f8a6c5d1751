/** An opkg feed: `Packages`, which is signed, and `Packages.gz`. */
import { formats } from "../../formats/formats.ts";
import { asBuffer } from "../../formats/line-cursor.ts";
import { fileFields, stanzaParts } from "../../formats/opkg/package-stanza.ts";
import { decompress } from "../../packages/compression/compression.ts";
import { gzipMembers } from "../../packages/compression/gzip-members.ts";
import type { FeedLayout, FileWrite } from "../feed-layout.ts";

async function holds(file: Uint8Array | undefined, index: Uint8Array): Promise<boolean> {
  if (file === undefined) return false;
  const content = await decompress(file, "gzip", index.length + 1).catch(() => undefined);
  return content !== undefined && Buffer.compare(content, index) === 0;
}

const format = formats.opkg;
const compressed = `${format.index}.gz`;

export const opkgFeed: FeedLayout = {
  signed: format.published,

  stanzaOf({ own, size, md5, sha256 }, path) {
    return stanzaParts(own, fileFields({ filename: path, size, md5, sha256 }));
  },

  lacking: () => [],

  compareVersions: format.compareVersions,

  async textOf(signed) {
    return signed;
  },

  read: format.read,

  async files({ folder, text, before }) {
    const same = before !== undefined && Buffer.compare(before, text) === 0;
    const writes: FileWrite[] = same ? [] : [{ name: format.index, data: text }];
    const there = await folder.read(compressed);
    if (!same || !(await holds(there, text))) {
      // No signature covers this file, so parts of the old one may be reused.
      const data = await gzipMembers(asBuffer(text), there && asBuffer(there));
      writes.push({ name: compressed, data });
    }
    return { signed: [{ name: format.index, bytes: text }], writes, removes: [] };
  },
};
