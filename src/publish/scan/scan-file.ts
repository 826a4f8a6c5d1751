import { createHash, hash as oneHash } from "node:crypto";
import { closeSync, constants, fstatSync } from "node:fs";
import { FeedkeyError } from "../../error.ts";
import { debWords } from "../../formats/apt/deb-control.ts";
import { type OwnWords, ownWords } from "../../formats/opkg/package-stanza.ts";
import { summaryOf } from "../../formats/pkgsrc/package-summary.ts";
import { SummaryScanner } from "../../formats/pkgsrc/summary-text.ts";
import { readControlFrom } from "../../packages/control.ts";
import { damage, nameThePackage } from "../../packages/damage.ts";
import { readPkgsrcPackage } from "../../packages/pkgsrc-package.ts";
import { type ByteSource, bytesSource, fileSource, openPackage, readAt } from "../../packages/source.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { identityOf, sameIdentity } from "./file-identity.ts";
import type { FoundPackage } from "./scan-walk.ts";

/** A scanned package file. */
export interface ScannedPackage extends OwnWords {
  /** The path relative to the scanned folder, with `/` between names. */
  readonly path: string;
  /** The size in bytes. */
  readonly size: number;
  /** The SHA-256 digest, in lower-case hex. */
  readonly sha256: string;
  /** The MD5 digest, in lower-case hex. opkg 0.9.0 compares only this digest. */
  readonly md5: string;
}

// feedkey reads files up to this size, in bytes, in one piece.
const AT_ONCE = 1024 * 1024;
// feedkey reads larger files in pieces of this size, in bytes. A piece stays in the processor's cache while feedkey computes two hashes.
const PIECE = 128 * 1024;

/** Memory that all packages reuse, because allocating memory would take longer than reading a package. */
let spare: Buffer | undefined;

const readers: Readonly<Record<PublishedFormat, (source: ByteSource) => Promise<OwnWords>>> = {
  opkg: async (source) => ownWords((await readControlFrom(source)).control),
  async apt(source) {
    const { control, format } = await readControlFrom(source);
    if (format !== "ar") throw damage("is not an ar archive, as every .deb is");
    return debWords(control);
  },
  async pkgsrc(source) {
    const own = summaryOf(await readPkgsrcPackage(source));
    const scanner = new SummaryScanner(own);
    scanner.next();
    const { name, version, architecture } = scanner.entry();
    return { name, version, architecture, own };
  },
};

/**
 * Hashes a package and reads its metadata, through one file descriptor.
 * @throws FeedkeyError `bad_package` if the package is damaged or has changed since the walk; `not_found` if the package is unreadable
 */
export async function scanFile(found: FoundPackage, format: PublishedFormat = "opkg"): Promise<ScannedPackage> {
  try {
    // `found.file` is a path without links. If a link is at this path now, somebody has replaced the file.
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

async function readUnchanged(
  descriptor: number,
  found: FoundPackage,
  format: PublishedFormat,
): Promise<ScannedPackage> {
  const { size } = found.identity;
  // No other scan may use the buffer while feedkey reads this package.
  const memory = spare ?? Buffer.allocUnsafeSlow(AT_ONCE);
  spare = undefined;
  let scanned: ScannedPackage;
  try {
    const atOnce = size <= AT_ONCE ? memory.subarray(0, size) : undefined;
    const digests = atOnce === undefined ? hash(descriptor, size, memory) : readAtOnce(descriptor, atOnce);
    const words = await readers[format](atOnce === undefined ? fileSource(descriptor, size) : bytesSource(atOnce));
    scanned = { path: found.path, size, ...digests, ...words };
  } catch (error) {
    // A package looks damaged while somebody is still uploading it. In this case, feedkey reports that the file is changing.
    assertUnchanged(descriptor, found);
    throw error;
  } finally {
    spare = memory;
  }
  // The result counts only if the open file is still the file that the walk found, unchanged.
  assertUnchanged(descriptor, found);
  return scanned;
}

type Digests = Pick<ScannedPackage, "sha256" | "md5">;

function readAtOnce(descriptor: number, bytes: Buffer): Digests {
  const count = readAt(descriptor, bytes, 0);
  if (count < bytes.length) throw damage(`expected ${bytes.length} bytes, but the file ends at byte ${count}`);
  return { sha256: oneHash("sha256", bytes), md5: oneHash("md5", bytes) };
}

function hash(descriptor: number, size: number, memory: Buffer): Digests {
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  for (let position = 0; position < size; ) {
    const count = readAt(descriptor, memory.subarray(0, Math.min(PIECE, size - position)), position);
    if (count === 0) throw damage(`expected ${size} bytes, but the file ends at byte ${position}`);
    const bytes = memory.subarray(0, count);
    sha256.update(bytes);
    md5.update(bytes);
    position += count;
  }
  return { sha256: sha256.digest("hex"), md5: md5.digest("hex") };
}

function assertUnchanged(descriptor: number, found: FoundPackage): void {
  const status = fstatSync(descriptor);
  if (status.isFile() && sameIdentity(identityOf(status), found.identity)) return;
  throw new FeedkeyError("bad_package", "changed while feedkey was reading it", {
    details: { reason: "changed" },
    hint: "publish again when no program is writing to the folder",
  });
}
