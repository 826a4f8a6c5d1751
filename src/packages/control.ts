/** The control file of a package: .deb and newer .ipk are `ar` archives, older .ipk a gzip-compressed tar of the same three members. */
import { closeSync, fstatSync } from "node:fs";
import { asBuffer } from "../formats/line-cursor.ts";
import { AR_MAGIC, type ArMember, readArMembers } from "./ar.ts";
import { type Compression, decompress, detectCompression } from "./compression/compression.ts";
import { gunzipChunks } from "./compression/gzip-stream.ts";
import { findControlFile } from "./control-tar.ts";
import { damage, nameThePackage, quote } from "./damage.ts";
import { MAX_CONTROL_MEMBER, MAX_CONTROL_TAR, MAX_FORMAT_VERSION } from "./limits.ts";
import { type ByteSource, fileSource, openPackage } from "./source.ts";
import { type ReadEntry, type TarEntry, visitEntries } from "./tar.ts";

export interface PackageControl {
  /** The bytes of the `control` file, as the package has them. */
  readonly control: Uint8Array;
  /** The package's outer form. */
  readonly format: "ar" | "tar";
}

/**
 * Reads the control file of a .ipk, .opk or .deb. Of a big package only what leads to the control file is read.
 * @throws FeedkeyError `not_found` if the file is missing or cannot be read; `bad_package` if it is not a package or a
 *   damaged one, with `details.path`
 */
export async function readControl(path: string): Promise<PackageControl> {
  try {
    return await readControlOfFile(path);
  } catch (error) {
    throw nameThePackage(path, error);
  }
}

/**
 * The same over bytes in memory or an open file.
 * @throws FeedkeyError `bad_package`, without the file's name
 */
export async function readControlFrom(source: ByteSource): Promise<PackageControl> {
  const head = source.read(0, Math.min(AR_MAGIC.length, source.size));
  if (asBuffer(head).toString("latin1") === AR_MAGIC) {
    const { name, bytes } = memberOfAr(source);
    return { control: await controlOfMember(name, bytes), format: "ar" };
  }
  if (detectCompression(head) === "gzip") return { control: await controlOfTar(source), format: "tar" };
  throw damage("expected an ar archive or a gzip-compressed tar archive, but it begins as neither");
}

async function readControlOfFile(path: string): Promise<PackageControl> {
  const descriptor = openPackage(path);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw damage("is not a regular file");
    return await readControlFrom(fileSource(descriptor, status.size));
  } finally {
    closeSync(descriptor);
  }
}

/** deb(5) has `debian-binary`, `control.tar`, `data.tar` in this order; opkg 0.9 asks for the control archive alone, wherever it is. */
function memberOfAr(source: ByteSource): { name: string; bytes: Uint8Array } {
  const members = readArMembers(source);
  for (const version of members.filter(({ name }) => name === "debian-binary")) {
    if (version.size > MAX_FORMAT_VERSION) {
      throw damage(`"debian-binary" has ${version.size} bytes`, { reason: "limits" });
    }
    checkFormatVersion(source.read(version.offset, version.size));
  }
  const control = only(members, "control.tar");
  only(members, "data.tar");
  if (control.size > MAX_CONTROL_MEMBER) {
    throw damage(`${quote(control.name)} has ${control.size} bytes, at most ${MAX_CONTROL_MEMBER} are read`, {
      reason: "limits",
    });
  }
  return { name: control.name, bytes: source.read(control.offset, control.size) };
}

/** Two members of one kind could show one control file to us and another to the installer. */
function only(members: readonly ArMember[], stem: string): ArMember {
  const found = members.filter(({ name }) => name === stem || name.startsWith(`${stem}.`));
  if (found.length > 1) throw damage(`has ${found.length} members "${stem}", expected one`);
  if (found[0] === undefined) throw damage(`has no member "${stem}"`);
  return found[0];
}

/** ipkg's first form. Its members may come in any order, data first too; the first `control.tar` is what opkg takes. */
async function controlOfTar(source: ByteSource): Promise<Uint8Array> {
  const isControl = (path: string) => path === "control.tar" || path.startsWith("control.tar.");
  let member: ReadEntry | undefined;
  const limit = ({ name, path, isFile }: TarEntry) => {
    if (path === "debian-binary" && isFile) return MAX_FORMAT_VERSION;
    if (!isControl(path)) return undefined;
    if (!isFile) throw damage(`${quote(name)} is not a regular file`);
    return MAX_CONTROL_MEMBER;
  };
  await visitEntries(gunzipChunks(source), limit, (entry) => {
    if (entry.path === "debian-binary" && entry.isFile) checkFormatVersion(entry.content);
    if (isControl(entry.path)) member = entry;
    return member === undefined;
  });
  if (member !== undefined) return controlOfMember(member.path, member.content);
  throw damage('has no member "control.tar"');
}

function checkFormatVersion(bytes: Uint8Array): void {
  const text = asBuffer(bytes).toString("latin1");
  if (!/^2\.\d+(?:\n|$)/.test(text)) {
    throw damage(`expected a format version such as 2.0 in "debian-binary", found ${quote(text.trimEnd())}`);
  }
}

/** The compression that the name of a control archive promises. */
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
  // dpkg goes by the name, libarchive by the bytes: where they differ, installers would.
  const found = detectCompression(bytes);
  if (found !== named) throw damage(`${quote(name)} begins as compression "${found}"`);
  return findControlFile(await decompress(bytes, found, MAX_CONTROL_TAR));
}
