/** Publishes an opkg feed: `Packages`, which is signed, and `Packages.gz`. */
import { formats } from "../../formats/formats.ts";
import { fileFields, stanzaParts } from "../../formats/opkg/package-stanza.ts";
import { checkPackages } from "../../formats/opkg/packages-text.ts";
import type { FeedLayout } from "../feed-layout.ts";
import { changedFiles } from "../index-text/index-forms.ts";

const format = formats.opkg;
const name = format.index;

export const opkgFeed: FeedLayout = {
  signed: format.published,

  stanzaOf({ own, size, md5, sha256 }, path) {
    return stanzaParts(own, fileFields({ filename: path, size, md5, sha256 }));
  },

  compareVersions: format.compareVersions,

  textsOf: async (signed) => new Map([[name, signed]]),

  read: format.read,

  check: checkPackages,

  async files({ folder, index }) {
    const compressed = `${name}.gz`;
    const signed = { name, document: await index.plain(name) };
    // No signature covers Packages.gz. So feedkey may reuse parts of the published file even if somebody else wrote it.
    const document = await index.compressed(name, "gz", undefined, () => folder.read(compressed));
    return {
      signed: [signed],
      writes: await changedFiles(folder, [signed, { name: compressed, document }]),
      removes: [],
    };
  },
};
