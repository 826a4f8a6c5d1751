/** What a pkgsrc binary package says of itself: the files that its compressed tar archive begins with. */
import type { PackageMetadata } from "../index-format/package-summary.ts";
import { AR_MAGIC } from "./ar.ts";
import { detectCompression } from "./compression.ts";
import { contentChunks } from "./content-stream.ts";
import { readPlainHeader } from "./control-quick.ts";
import { damage, quote } from "./damage.ts";
import { gunzipHead } from "./gzip.ts";
import { MAX_CONTROL_FILE, MAX_PKGSRC_CONTENTS } from "./limits.ts";
import { signedParts } from "./signed-package.ts";
import type { ByteSource } from "./source.ts";
import { type TarEntry, tarEntries } from "./tar.ts";

const HEAD = 64 * 1024;
const MAX_HEAD = 4 * 1024 * 1024;
const BLOCK = 512;

const contentsName = "+CONTENTS";
const wanted: Readonly<Record<string, number>> = {
  [contentsName]: MAX_PKGSRC_CONTENTS,
  "+COMMENT": MAX_CONTROL_FILE,
  "+DESC": MAX_CONTROL_FILE,
  "+BUILD_INFO": MAX_CONTROL_FILE,
  "+SIZE_PKG": MAX_CONTROL_FILE,
};

/** Whether a package is the `ar` archive of a signed one. */
export function isSignedPackage(source: ByteSource): boolean {
  return Buffer.from(source.read(0, Math.min(AR_MAGIC.length, source.size))).toString("latin1") === AR_MAGIC;
}

/**
 * Reads what a package says of itself, also inside a signed one, whose signature is not looked at.
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
 * The packing list of an unsigned package, its first member.
 * @throws FeedkeyError `bad_package`
 */
export async function readContents(source: ByteSource): Promise<Uint8Array> {
  for await (const entry of tarEntries(contentChunks(source))) return await readFirst(entry);
  throw damage("holds no file at all");
}

async function readFirst(entry: TarEntry): Promise<Uint8Array> {
  if (entry.name !== contentsName) throw damage(`expected "+CONTENTS" as its first file, found ${quote(entry.name)}`);
  return await readFile(entry);
}

async function readFile(entry: TarEntry): Promise<Uint8Array> {
  if (!entry.isFile) throw damage(`${quote(entry.name)} is no regular file`);
  return await entry.content(wanted[entry.name] ?? MAX_CONTROL_FILE);
}

type Metadata = ReadonlyMap<string, Uint8Array>;

/** The files whose names begin with `+`, up to the first that does not: there pkg_add stops looking for them too. */
async function readMetadata(source: ByteSource): Promise<Metadata> {
  const quickly = readQuickly(source);
  if (quickly !== undefined) return quickly;
  const seen = new Set<string>();
  const found = new Map<string, Uint8Array>();
  for await (const entry of tarEntries(contentChunks(source))) {
    if (seen.size === 0) {
      found.set(contentsName, await readFirst(entry));
    } else if (!entry.path.startsWith("+")) {
      break;
    } else {
      if (entry.path !== entry.name) throw damage(`${quote(entry.name)} is no plain name`);
      if (seen.has(entry.name)) throw damage(`has the file ${quote(entry.name)} more than once`);
      if (entry.name in wanted) found.set(entry.name, await readFile(entry));
    }
    seen.add(entry.name);
  }
  return found;
}

/**
 * The same out of the first bytes of a `.tgz` in its usual form, at once, in a fraction of what streams take. It gives up
 * at whatever is not plainly so: a verdict never depends on it.
 */
function readQuickly(source: ByteSource): Metadata | undefined {
  const prefix = source.read(0, Math.min(HEAD, source.size));
  const content = detectCompression(prefix) === "gzip" ? gunzipHead(prefix, MAX_HEAD) : undefined;
  if (content === undefined) return undefined;
  const seen = new Set<string>();
  const found = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= content.length; ) {
    const entry = readPlainHeader(content.subarray(at, at + BLOCK));
    if (entry?.isFile !== true || entry.name.startsWith("./")) return undefined;
    const { name, size } = entry;
    if (seen.size > 0 && !name.startsWith("+")) return found;
    if (seen.size === 0 && name !== contentsName) return undefined;
    const [start, limit] = [at + BLOCK, wanted[name]];
    const end = start + size;
    if (seen.has(name) || end > content.length || (limit !== undefined && size > limit)) return undefined;
    seen.add(name);
    if (limit !== undefined) found.set(name, content.subarray(start, end));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}
