/** An opkg feed: `Packages`, which is signed, and `Packages.gz`. */
import { join } from "node:path";
import { fieldText, parseControl } from "../index-format/field.ts";
import { readPackages } from "../index-format/opkg.ts";
import { packageStanza } from "../index-format/package-stanza.ts";
import { compareVersions } from "../index-format/version.ts";
import { decompress } from "../package/compression.ts";
import { type FeedLayout, type FileWrite, readIfThere } from "./feed-layout.ts";
import { compressIndex } from "./index-compression.ts";

async function gzipServes(path: string, index: Uint8Array): Promise<boolean> {
  const there = await readIfThere(path);
  if (there === undefined) return false;
  const content = await decompress(there, "gzip", index.length + 1).catch(() => undefined);
  return content !== undefined && Buffer.compare(content, index) === 0;
}

export const opkgFeed: FeedLayout = {
  signed: "Packages",

  list(scanned, path) {
    const control = parseControl(scanned.control);
    const { size, md5, sha256 } = scanned;
    return {
      name: fieldText(control, "Package") ?? "",
      version: fieldText(control, "Version") ?? "",
      architecture: fieldText(control, "Architecture") ?? "",
      path,
      stanza: packageStanza({ control, filename: path, size, md5, sha256 }),
    };
  },

  compareVersions,

  async textOf(signed) {
    return signed;
  },

  read: readPackages,

  async files(folder, text, before) {
    const same = before !== undefined && Buffer.compare(before, text) === 0;
    const writes: FileWrite[] = same ? [] : [{ name: "Packages", data: text }];
    if (!same || !(await gzipServes(join(folder, "Packages.gz"), text))) {
      writes.push({ name: "Packages.gz", data: await compressIndex(text) });
    }
    return { signed: [{ name: "Packages", bytes: text }], writes, removes: [] };
  },
};
