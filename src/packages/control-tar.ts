import { type TarEntry, tarEntries } from "../formats/tar/tar.ts";
import { damage, quote } from "./damage.ts";
import { MAX_CONTROL_FILE } from "./limits.ts";

/**
 * Returns the bytes of the file `control` in a decompressed `control.tar`.
 * @throws FeedkeyError `bad_package` unless the archive is complete and contains exactly one regular file `control`
 */
export function findControlFile(tar: Uint8Array): Uint8Array {
  let control: Uint8Array | undefined;
  const links: string[] = [];
  for (const entry of tarEntries(tar, controlLimit)) {
    // A program that extracts the archive may follow the link and overwrite another file, for example the control file.
    if (links.some((link) => entry.path.startsWith(link))) {
      throw damage(`tar entry ${quote(entry.name)} is below a link`);
    }
    if (entry.isLink) links.push(`${entry.path}/`);
    if (entry.path !== "control") continue;
    if (control !== undefined) throw damage('control archive has the file "control" more than once');
    control = entry.content;
  }
  if (control === undefined) throw damage('control archive has no file "control"');
  return control;
}

function controlLimit({ name, path, isFile }: TarEntry): number | undefined {
  if (path !== "control") return undefined;
  if (!isFile) throw damage(`${quote(name)} in the control archive is not a regular file`);
  if (name !== "control" && name !== "./control") {
    throw damage(`expected "./control" in the control archive, found ${quote(name)}`);
  }
  return MAX_CONTROL_FILE;
}
