/** What a pkgsrc binary package says of itself: the files that its compressed tar archive begins with. */
import { FeedkeyError } from "../error.ts";
import type { PackageMetadata } from "../index-format/package-summary.ts";
import { AR_MAGIC } from "./ar.ts";
import { detectCompression } from "./compression.ts";
import { contentChunks } from "./content-stream.ts";
import { damage, quote } from "./damage.ts";
import { gunzipHead } from "./gzip.ts";
import { MAX_CONTROL_FILE, MAX_PKGSRC_CONTENTS } from "./limits.ts";
import { signedParts } from "./signed-package.ts";
import type { ByteSource } from "./source.ts";
import { type TarEntry, tarEntries } from "./tar.ts";

const HEAD = 64 * 1024;
const MAX_HEAD = 4 * 1024 * 1024;

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

interface Metadata {
  readonly found: ReadonlyMap<string, Uint8Array>;
  /** Whether another file follows: else there may be more of it behind the bytes that were looked at. */
  readonly ended: boolean;
}

/** The files whose names begin with `+`, up to the first that does not: there pkg_add stops looking for them too. */
async function readMetadata(source: ByteSource): Promise<ReadonlyMap<string, Uint8Array>> {
  const head = await readHead(source).catch((error: unknown) => {
    // Cut off as it is, it may look damaged.
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  });
  return head?.ended === true ? head.found : (await collect(contentChunks(source))).found;
}

/** The first bytes taken at once: for most packages they are enough, and it takes a third of a stream's time. */
async function readHead(source: ByteSource): Promise<Metadata | undefined> {
  const prefix = source.read(0, Math.min(HEAD, source.size));
  if (detectCompression(prefix) !== "gzip") return undefined;
  const content = gunzipHead(prefix, MAX_HEAD);
  return content && (await collect(content));
}

async function collect(archive: Uint8Array | AsyncIterable<Uint8Array>): Promise<Metadata> {
  const seen = new Set<string>();
  const found = new Map<string, Uint8Array>();
  for await (const entry of tarEntries(archive)) {
    if (seen.size === 0) {
      found.set(contentsName, await readFirst(entry));
    } else if (!entry.path.startsWith("+")) {
      return { found, ended: true };
    } else {
      if (entry.path !== entry.name) throw damage(`${quote(entry.name)} is no plain name`);
      if (seen.has(entry.name)) throw damage(`has the file ${quote(entry.name)} more than once`);
      if (entry.name in wanted) found.set(entry.name, await readFile(entry));
    }
    seen.add(entry.name);
  }
  return { found, ended: false };
}
