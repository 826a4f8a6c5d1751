import { createHash, hash as oneHash } from "node:crypto";
import { closeSync, constants, fstatSync } from "node:fs";
import { FeedkeyError } from "../error.ts";
import { summaryOf } from "../index-format/package-summary.ts";
import { type Compression, decompress, detectCompression } from "../package/compression.ts";
import { compressionOf, readControlFrom } from "../package/control.ts";
import { findControlMember, findControlQuickly, inflateControl } from "../package/control-quick.ts";
import { damage, nameThePackage } from "../package/damage.ts";
import { MAX_CONTROL_TAR } from "../package/limits.ts";
import { readPkgsrcPackage } from "../package/pkgsrc-package.ts";
import { type ByteSource, fileSource, openPackage, readAt } from "../package/source.ts";
import type { FeedFormat } from "../profile/types.ts";
import { type FoundPackage, identityOf, sameIdentity } from "./scan-walk.ts";

/** One package file as it lay on the disk. */
export interface ScannedPackage {
  /** Relative to the scanned folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex: opkg 0.9.0 compares nothing else. */
  readonly md5: string;
  /** What the package says of itself: its control file, or for pkgsrc its stanza without the facts about the file. */
  readonly control: Uint8Array;
}

// Reads of this size, made synchronously, are the fastest that Node has. Each thread has its own buffer.
const piece = Buffer.allocUnsafeSlow(1024 * 1024);

const controlOf: Readonly<Record<FeedFormat, (source: ByteSource) => Promise<Uint8Array>>> = {
  opkg: async (source) => (await readControlFrom(source)).control,
  pkgsrc: async (source) => summaryOf(await readPkgsrcPackage(source)),
};

/**
 * Hashes a package and reads what it says of itself, both through one open descriptor.
 * @throws FeedkeyError `bad_package` for a damaged package or one that changed since it was found; `not_found` if
 *   it cannot be read
 */
export async function scanFile(found: FoundPackage, format: FeedFormat = "opkg"): Promise<ScannedPackage> {
  try {
    // Links were resolved when the file was found: one in its place is another file.
    const descriptor = openPackage(found.file, constants.O_NOFOLLOW);
    try {
      return await readUnchanged(descriptor, found, format);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw nameThePackage(found.path, error);
  }
}

async function readUnchanged(descriptor: number, found: FoundPackage, format: FeedFormat): Promise<ScannedPackage> {
  assertUnchanged(descriptor, found);
  const size = Number(found.identity.size);
  let scanned: ScannedPackage;
  try {
    const { control, ...digests } =
      size <= piece.length ? readAtOnce(descriptor, size, format) : hash(descriptor, size);
    const source = fileSource(descriptor, size);
    scanned = { path: found.path, size, ...digests, control: (await control) ?? (await controlOf[format](source)) };
    // A copy of its own: the bytes may be a small part of a large buffer.
    scanned = { ...scanned, control: new Uint8Array(scanned.control) };
  } catch (error) {
    // A package that is still being uploaded looks damaged; the reason is the better thing to say.
    assertUnchanged(descriptor, found);
    throw error;
  }
  assertUnchanged(descriptor, found);
  return scanned;
}

interface Digests {
  readonly sha256: string;
  readonly md5: string;
  /** Where it could be read at once. */
  readonly control?: Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** A small package, read once for everything: its bytes do not outlast this call, since the next uses the same memory. */
function readAtOnce(descriptor: number, size: number, format: FeedFormat): Digests {
  const bytes = piece.subarray(0, size);
  const count = readAt(descriptor, bytes, 0);
  if (count < size) throw damage(`expected ${size} bytes, but it ends at byte ${count}`);
  const control = format === "opkg" ? controlQuickly(bytes, size) : undefined;
  return { sha256: oneHash("sha256", bytes), md5: oneHash("md5", bytes), control };
}

function controlQuickly(bytes: Buffer, size: number): Digests["control"] {
  const member = findControlMember(bytes, size);
  if (member === undefined) return undefined;
  const kind = detectCompression(member.bytes);
  if (kind !== compressionOf[member.name]) return undefined;
  if (kind !== "gzip") return unpackQuickly(Buffer.from(member.bytes), kind);
  const tar = inflateControl(member.bytes);
  return tar && findControlQuickly(tar);
}

async function unpackQuickly(bytes: Buffer, kind: Compression): Promise<Uint8Array | undefined> {
  const tar = await decompress(bytes, kind, MAX_CONTROL_TAR).catch(() => undefined);
  return tar && findControlQuickly(Buffer.from(tar.buffer, tar.byteOffset, tar.length));
}

function hash(descriptor: number, size: number): Digests {
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  for (let position = 0; position < size; ) {
    const count = readAt(descriptor, piece.subarray(0, size - position), position);
    if (count === 0) throw damage(`expected ${size} bytes, but it ends at byte ${position}`);
    const bytes = piece.subarray(0, count);
    sha256.update(bytes);
    md5.update(bytes);
    position += count;
  }
  return { sha256: sha256.digest("hex"), md5: md5.digest("hex") };
}

function assertUnchanged(descriptor: number, found: FoundPackage): void {
  const status = fstatSync(descriptor, { bigint: true });
  if (status.isFile() && sameIdentity(identityOf(status), found.identity)) return;
  throw new FeedkeyError("bad_package", "changed while it was read", {
    details: { reason: "changed" },
    hint: "scan again when nothing writes to the folder",
  });
}
