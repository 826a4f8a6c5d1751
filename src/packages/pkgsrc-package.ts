/** Reads the metadata of a pkgsrc binary package from the first files of its compressed tar archive. */
import type { PackageMetadata } from "../formats/pkgsrc/package-summary.ts";
import { type TarEntry, visitEntries } from "../formats/tar/tar.ts";
import { AR_MAGIC } from "./ar.ts";
import { contentChunks } from "./content-stream.ts";
import { damage, quote } from "./damage.ts";
import { MAX_CONTROL_FILE, MAX_PKGSRC_CONTENTS } from "./limits.ts";
import { signedParts } from "./signed-package.ts";
import type { ByteSource } from "./source.ts";

const contentsName = "+CONTENTS";
const wanted: Readonly<Record<string, number>> = {
  [contentsName]: MAX_PKGSRC_CONTENTS,
  "+COMMENT": MAX_CONTROL_FILE,
  "+DESC": MAX_CONTROL_FILE,
  "+BUILD_INFO": MAX_CONTROL_FILE,
  "+SIZE_PKG": MAX_CONTROL_FILE,
};

/** Whether a package is an `ar` archive, the form of a signed package. */
export function isSignedPackage(source: ByteSource): boolean {
  return Buffer.from(source.read(0, Math.min(AR_MAGIC.length, source.size))).toString("latin1") === AR_MAGIC;
}

/**
 * Reads the metadata of a signed or unsigned package. Does not check the signature.
 * @throws FeedkeyError `bad_package`
 */
export async function readPkgsrcPackage(source: ByteSource): Promise<PackageMetadata> {
  const found = await readMetadata(isSignedPackage(source) ? signedParts(source).inner : source);
  const need = (name: string): Uint8Array => {
    const bytes = found.get(name);
    if (bytes === undefined) throw damage(`has no file ${quote(name)} at its beginning`);
    return bytes;
  };
  return {
    contents: need(contentsName),
    comment: need("+COMMENT"),
    description: need("+DESC"),
    buildInfo: need("+BUILD_INFO"),
    sizePkg: found.get("+SIZE_PKG"),
  };
}

/**
 * Returns the packing list of an unsigned package. The packing list is the first member.
 * @throws FeedkeyError `bad_package`
 */
export async function readContents(source: ByteSource): Promise<Uint8Array> {
  const found: Uint8Array[] = [];
  await visitEntries(contentChunks(source), firstLimit, ({ content }) => {
    found.push(content);
    return false;
  });
  const [contents] = found;
  if (contents === undefined) throw damage("contains no files");
  return contents;
}

function firstLimit(entry: TarEntry): number | undefined {
  if (entry.name !== contentsName) throw damage(`expected "+CONTENTS" as its first file, found ${quote(entry.name)}`);
  return limitOf(entry);
}

function limitOf({ name, isFile }: TarEntry): number | undefined {
  const limit = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
  if (limit !== undefined && !isFile) throw damage(`${quote(name)} is not a regular file`);
  return limit;
}

/** Returns the wanted files. Stops at the first file whose name does not begin with `+`, like pkg_add. */
async function readMetadata(source: ByteSource): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  let isFirst = true;
  const seen = new Set<string>();
  const limit = (entry: TarEntry) => {
    if (isFirst) return firstLimit(entry);
    if (!entry.path.startsWith("+")) return undefined;
    if (entry.path !== entry.name) throw damage(`${quote(entry.name)} is not a plain name`);
    if (seen.has(entry.name)) throw damage(`has the file ${quote(entry.name)} more than once`);
    return limitOf(entry);
  };
  await visitEntries(contentChunks(source), limit, ({ name, path, content }) => {
    if (!path.startsWith("+")) return false;
    isFirst = false;
    seen.add(name);
    if (Object.hasOwn(wanted, name)) found.set(name, content);
    return true;
  });
  return found;
}
