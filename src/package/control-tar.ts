import { damage, quote } from "./damage.ts";
import { MAX_CONTROL_FILE } from "./limits.ts";
import { type TarEntry, tarEntries } from "./tar.ts";

const BLOCK = 512;

/**
 * The bytes of the file `control` in a decompressed `control.tar`.
 * @throws FeedkeyError `bad_package` unless there is exactly one, a plain file, in a whole archive
 */
export async function findControlFile(tar: Uint8Array): Promise<Uint8Array> {
  let control: Uint8Array | undefined;
  let end = 0;
  const links: string[] = [];
  for await (const entry of tarEntries(tar)) {
    // The tar reader passes over end marks; dpkg and opkg stop there and would not see this entry.
    if (isEndMark(tar, end)) throw damage(`tar entry ${quote(entry.name)} stands behind the end of the archive`);
    end = entry.offset + Math.ceil(entry.size / BLOCK) * BLOCK;
    // Whoever unpacks it follows the link, and writes over another file, the control file perhaps.
    if (links.some((link) => entry.path.startsWith(link))) {
      throw damage(`tar entry ${quote(entry.name)} lies behind a link`);
    }
    if (entry.isLink) links.push(`${entry.path}/`);
    if (entry.path !== "control") continue;
    if (control !== undefined) throw damage('control archive has the file "control" more than once');
    control = await readControlEntry(entry);
  }
  if (!isEndMark(tar, end)) throw damage("control archive ends without its end mark");
  if (control === undefined) throw damage('control archive has no file "control"');
  return control;
}

async function readControlEntry(entry: TarEntry): Promise<Uint8Array> {
  if (!entry.isFile) throw damage(`${quote(entry.name)} in the control archive is no regular file`);
  if (entry.name !== "control" && entry.name !== "./control") {
    throw damage(`expected "./control" in the control archive, found ${quote(entry.name)}`);
  }
  return entry.content(MAX_CONTROL_FILE);
}

/** POSIX pax, ustar interchange format: an archive ends with blocks of zeros. */
function isEndMark(tar: Uint8Array, position: number): boolean {
  const block = tar.subarray(position, position + BLOCK);
  return block.length === BLOCK && block.every((byte) => byte === 0);
}
