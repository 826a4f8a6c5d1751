/**
 * Reads the control file of a package. .deb and newer .ipk packages are `ar` archives; older .ipk packages are gzip-compressed tar
 * archives with the same three members. As in opkg, the order of the members does not matter. No member may appear twice
 * (docs/opkg.md).
 */
import { asBuffer } from "../formats/line-cursor.ts";
import { type ReadEntry, type TarEntry, visitEntries } from "../formats/tar/tar.ts";
import { AR_MAGIC, type ArMember, readArMembers } from "./ar.ts";
import { type Compression, decompress, detectCompression } from "./compression/compression.ts";
import { gunzipChunks } from "./compression/gzip-stream.ts";
import { findControlFile } from "./control-tar.ts";
import { damage, quote } from "./damage.ts";
import { MAX_CONTROL_MEMBER, MAX_CONTROL_TAR, MAX_FORMAT_VERSION } from "./limits.ts";
import type { ByteSource } from "./source.ts";

interface PackageControl {
  /** The unchanged bytes of the `control` file. */
  readonly control: Uint8Array;
  /** The package's outer form. */
  readonly format: "ar" | "tar";
}

/**
 * Reads the control file of a .ipk, .opk or .deb package. In an `ar` archive, reads only the headers and the control archive.
 * @throws FeedkeyError `bad_package` if the package is malformed; the message does not name the file
 */
export async function readControlFrom(source: ByteSource): Promise<PackageControl> {
  const head = source.read(0, Math.min(AR_MAGIC.length, source.size));
  if (asBuffer(head).toString("latin1") === AR_MAGIC) {
    const { name, bytes } = memberOfAr(source);
    return { control: await controlOfMember(name, bytes), format: "ar" };
  }
  if (detectCompression(head) === "gzip") return { control: await controlOfTar(source), format: "tar" };
  throw damage("expected an ar archive or a gzip-compressed tar archive, but found other data");
}

function memberOfAr(source: ByteSource): { name: string; bytes: Uint8Array } {
  const found = new Members();
  let control: ArMember | undefined;
  for (const member of readArMembers(source)) {
    const { name, offset, size } = member;
    const kind = found.add(name);
    if (kind === "debian-binary") {
      if (size > MAX_FORMAT_VERSION) throw damage(`"debian-binary" has ${size} bytes`, { reason: "limits" });
      checkFormatVersion(source.read(offset, size));
    }
    if (kind === "control.tar") control = member;
  }
  const { name, offset, size } = found.complete(control);
  if (size > MAX_CONTROL_MEMBER) {
    throw damage(`${quote(name)} has ${size} bytes, but at most ${MAX_CONTROL_MEMBER} are read`, { reason: "limits" });
  }
  return { name, bytes: source.read(offset, size) };
}

type MemberKind = "debian-binary" | "control.tar" | "data.tar";

function kindOf(name: string): MemberKind | undefined {
  const [, kind] = /^(debian-binary$|control\.tar(?=\.|$)|data\.tar(?=\.|$))/.exec(name) ?? [];
  return kind as MemberKind | undefined;
}

/**
 * The members that feedkey uses. A package may not have two members of one kind, because an installer could read a different control
 * file than feedkey.
 */
class Members {
  readonly #seen = new Map<MemberKind, string>();

  /** Records a member and returns its kind. @throws FeedkeyError `bad_package` if the member is the second of its kind */
  add(name: string): MemberKind | undefined {
    const kind = kindOf(name);
    if (kind === undefined) return undefined;
    const other = this.#seen.get(kind);
    if (other !== undefined) {
      throw damage(`has 2 members "${kind}" (${quote(other)} and ${quote(name)}), expected one`);
    }
    this.#seen.set(kind, name);
    return kind;
  }

  /** Checks that no member is missing, and returns the control archive. Call this after all members have been read. */
  complete<T>(control: T | undefined): T {
    if (control === undefined) throw damage('has no member "control.tar"');
    if (!this.#seen.has("data.tar")) throw damage('has no member "data.tar"');
    return control;
  }
}

/**
 * Reads the control file of a package that is a tar archive, ipkg's first form. Reads the package to its end to find a second control
 * archive. With two control archives, opkg uses the first, but programs that extract everything use the last.
 */
async function controlOfTar(source: ByteSource): Promise<Uint8Array> {
  const found = new Members();
  let control: ReadEntry | undefined;
  const limit = ({ name, path, isFile }: TarEntry) => {
    const kind = found.add(path);
    if (kind === undefined) return undefined;
    if (!isFile) throw damage(`${quote(name)} is not a regular file`);
    if (name !== path && name !== `./${path}`) throw damage(`expected ${quote(`./${path}`)}, found ${quote(name)}`);
    if (kind === "debian-binary") return MAX_FORMAT_VERSION;
    return kind === "control.tar" ? MAX_CONTROL_MEMBER : undefined;
  };
  await visitEntries(gunzipChunks(source), limit, (entry) => {
    const kind = kindOf(entry.path);
    if (kind === "debian-binary") checkFormatVersion(entry.content);
    if (kind === "control.tar") control = entry;
    return true;
  });
  const { path, content } = found.complete(control);
  return controlOfMember(path, content);
}

/** Checks that `debian-binary` names format version 2. A package may lack this member, because opkg ignores it. */
function checkFormatVersion(bytes: Uint8Array): void {
  const text = asBuffer(bytes).toString("latin1");
  if (/^2\.\d+[ \t\r]*(?:\n|$)/.test(text)) return;
  throw damage(`expected format version 2 in "debian-binary", found ${quote(text.trimEnd())}`);
}

/** The compression of a control archive with each supported name. */
const compressionOf: Readonly<Record<string, Compression>> = {
  "control.tar": "none",
  "control.tar.gz": "gzip",
  "control.tar.xz": "xz",
  "control.tar.zst": "zstd",
};

async function controlOfMember(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const named = compressionOf[name];
  if (named === undefined)
    throw damage(`${quote(name)} has a compression that is not supported: expected .gz, .xz or .zst`);
  // dpkg trusts the name, but libarchive trusts the bytes. If the name and the bytes differed, installers would read different data.
  const found = detectCompression(bytes);
  if (found !== named) throw damage(`${quote(name)} contains data of another compression: "${found}"`);
  return findControlFile(await decompress(bytes, found, MAX_CONTROL_TAR));
}
