import { createHash, hash as oneHash } from "node:crypto";
import { closeSync, constants, fstatSync } from "node:fs";
import { FeedkeyError } from "../error.ts";
import { type OwnWords, ownWordsQuickly } from "../index-format/control-lines.ts";
import { fieldText, parseControl } from "../index-format/field.ts";
import { ownStanza } from "../index-format/package-stanza.ts";
import { summaryOf } from "../index-format/package-summary.ts";
import { SummaryScanner } from "../index-format/pkgsrc.ts";
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
export interface ScannedPackage extends OwnWords {
  /** Relative to the scanned folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex: opkg 0.9.0 compares nothing else. */
  readonly md5: string;
}

// What is no larger is read at once. Each thread has its own buffer.
const piece = Buffer.allocUnsafeSlow(1024 * 1024);
// Larger ones in pieces that stay in the processor's own cache while they are hashed twice.
const pieceOfLarge = piece.subarray(0, 128 * 1024);

const ownWords: Readonly<Record<FeedFormat, (source: ByteSource) => Promise<OwnWords>>> = {
  opkg: async (source) => wordsOfControl((await readControlFrom(source)).control),
  async pkgsrc(source) {
    const own = summaryOf(await readPkgsrcPackage(source));
    const scanner = new SummaryScanner(own);
    scanner.next();
    const { name, version, architecture } = scanner.entry();
    return { name, version, architecture, own };
  },
};

function wordsOfControl(bytes: Uint8Array): OwnWords {
  const quickly = ownWordsQuickly(bytes);
  if (quickly !== undefined) return quickly;
  const control = parseControl(bytes);
  return {
    name: fieldText(control, "Package") ?? "",
    version: fieldText(control, "Version") ?? "",
    architecture: fieldText(control, "Architecture") ?? "",
    own: ownStanza(control),
  };
}

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
  const size = Number(found.identity.size);
  let scanned: ScannedPackage;
  try {
    const { control, sha256, md5 } =
      size <= piece.length ? readAtOnce(descriptor, size, format) : hash(descriptor, size);
    const quickly = await control;
    const words =
      quickly === undefined ? await ownWords[format](fileSource(descriptor, size)) : wordsOfControl(quickly);
    // A copy of its own: small buffers are parts of larger ones, which would be kept and sent along whole.
    scanned = { path: found.path, size, sha256, md5, ...words, own: new Uint8Array(words.own) };
  } catch (error) {
    // A package that is still being uploaded looks damaged; the reason is the better thing to say.
    assertUnchanged(descriptor, found);
    throw error;
  }
  // Whatever was opened, it is used only if it was the file that was found, then and all the while.
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
    const count = readAt(descriptor, pieceOfLarge.subarray(0, size - position), position);
    if (count === 0) throw damage(`expected ${size} bytes, but it ends at byte ${position}`);
    const bytes = pieceOfLarge.subarray(0, count);
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
