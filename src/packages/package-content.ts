/** Tells by a file's content, not its name, whether the file is a package. */
import { closeSync, fstatSync, statSync } from "node:fs";
import { FeedkeyError } from "../error.ts";
import { visitEntries } from "../formats/tar/tar.ts";
import { AR_MAGIC } from "./ar.ts";
import { detectCompression } from "./compression/compression.ts";
import { contentChunks } from "./content-stream.ts";
import { type ByteSource, fileSource, openPackage, piecesOf } from "./source.ts";

/** About how many bytes of a tar archive feedkey reads. The first members show whether the archive is a package. */
const HEAD = 64 * 1024;

/** Matches first members that only packages have: packages in opkg's older form and packages for pkgsrc, apk and pacman. */
const tellTale = /^(debian-binary|(control|data)\.tar(\.[a-z0-9]+)?|\+CONTENTS|\.PKGINFO|\.BUILDINFO|\.SIGN\..+)$/;

const RPM_LEAD = "edabeedb";

/**
 * Matches the first bytes, in hex, of compressed files that some installers read but feedkey does not: lzma, lzip, lz4, compress, and
 * zstd with a skippable frame first.
 */
const SEALED = /^(5d0000|4c5a4950|04224d18|1f9d|5[0-9a-f]2a4d18)/;

/** Whether bytes begin like compressed data that feedkey can't decompress. */
function isSealed(bytes: Uint8Array): boolean {
  return SEALED.test(Buffer.from(bytes.subarray(0, 8)).toString("hex"));
}

/**
 * Tells whether a file is a package. Follows links, because installers follow links too.
 * @returns false for anything but a regular file, and for a link without a target
 * @throws FeedkeyError `not_found` if the file can't be read
 */
export async function holdsPackage(path: string): Promise<boolean> {
  // Opening a device file can start the device, so feedkey checks the file's type first.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const descriptor = openPackage(path);
  try {
    const status = fstatSync(descriptor);
    return status.isFile() && (await isPackage(fileSource(descriptor, status.size)));
  } finally {
    closeSync(descriptor);
  }
}

async function isPackage(source: ByteSource): Promise<boolean> {
  let isFound = false;
  const head = Buffer.from(source.read(0, Math.min(AR_MAGIC.length, source.size)));
  if (head.toString("latin1") === AR_MAGIC || head.toString("hex").startsWith(RPM_LEAD)) return true;
  // A file that feedkey can't decompress counts as a package, because an installer may be able to read the file.
  if (isSealed(head)) return true;
  try {
    const isPlain = detectCompression(head) === "none";
    const content = headOf(isPlain ? piecesOf(source, HEAD) : contentChunks(source));
    const isTold = (name: string) => {
      isFound = tellTale.test(name);
      return !isFound;
    };
    // feedkey's reader refuses an unusual header that an installer may accept. So feedkey looks at the first name in any case.
    await visitEntries(
      watched(content, (first) => {
        // A file that was compressed twice counts as a package, because an installer could decompress the file twice.
        isFound = !isPlain && (detectCompression(first) !== "none" || isSealed(first));
        return !isFound && isTold(firstName(first));
      }),
      () => undefined,
      ({ path }) => isTold(path),
    );
    return isFound;
  } catch (error) {
    if (isFound) return true;
    // No installer treats damaged or unrelated data as a package.
    if (error instanceof FeedkeyError && error.code === "bad_package") return false;
    throw error;
  }
}

async function* headOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    yield chunk;
    total += chunk.length;
    if (total >= HEAD) return;
  }
}

/** Passes the chunks on, and ends after the first chunk unless `look` asks for more. */
async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  look: (first: Uint8Array) => boolean,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && !look(chunk)) return;
    isFirst = false;
    yield chunk;
  }
}

/** Returns the name in a tar archive's first header, after any number of empty blocks. Ignores the rest of the header. */
function firstName(whole: Uint8Array): string {
  const start = whole.findIndex((byte) => byte !== 0);
  const chunk = whole.subarray(start < 0 ? 0 : start - (start % 512));
  const name = Buffer.from(chunk.subarray(0, 100)).toString("latin1");
  return name.replace(/\0.*$/s, "").replace(/^\.\//, "");
}
