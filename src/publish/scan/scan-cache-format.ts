/**
 * The records of the scan cache, little-endian, one after the other: u32 lengths of path, name, version, architecture and
 * stanza, u64 size, u64 time of modification, u64 time of change, u64 inode, 32 bytes SHA-256, 16 bytes MD5, then those texts.
 */
import type { ScannedPackage } from "./scan-file.ts";
import type { FileIdentity } from "./scan-walk.ts";

export interface CachedPackage {
  readonly identity: FileIdentity;
  readonly scanned: ScannedPackage;
  /** Its bytes in the previous file, which are copied if it has not changed. */
  readonly record?: Uint8Array;
}

/** By path relative to the scanned folder. */
export type ScanCache = ReadonlyMap<string, CachedPackage>;

const LENGTHS = 5;
const IDENTITY = LENGTHS * 4;
const DIGESTS = IDENTITY + 4 * 8;
const FIXED_SIZE = DIGESTS + 32 + 16;

/**
 * The bytes of all entries, as `readRecords` reads them back.
 * @param room bytes left free before them
 */
export function writeRecords(cache: ScanCache, room = 0): Buffer {
  const records: Uint8Array[] = [Buffer.alloc(room)];
  for (const [path, { identity, scanned, record }] of cache) {
    if (record !== undefined) {
      records.push(record);
      continue;
    }
    const texts = [path, scanned.name, scanned.version, scanned.architecture].map((text) => Buffer.from(text, "utf8"));
    const fixed = Buffer.alloc(FIXED_SIZE);
    for (const [place, text] of [...texts, scanned.own].entries()) fixed.writeUInt32LE(text.length, place * 4);
    fixed.writeBigUInt64LE(identity.size, IDENTITY);
    fixed.writeBigInt64LE(identity.modifiedNs, IDENTITY + 8);
    fixed.writeBigInt64LE(identity.changedNs, IDENTITY + 16);
    fixed.writeBigUInt64LE(identity.inode, IDENTITY + 24);
    fixed.write(scanned.sha256, DIGESTS, "hex");
    fixed.write(scanned.md5, DIGESTS + 32, "hex");
    for (const part of [fixed, ...texts, scanned.own]) records.push(part);
  }
  return Buffer.concat(records);
}

/** Undefined if the bytes are not what {@link writeRecords} makes. Stanzas are views into the bytes. */
export function readRecords(bytes: Buffer): ScanCache | undefined {
  const cache = new Map<string, CachedPackage>();
  for (let position = 0; position < bytes.length; ) {
    if (position + FIXED_SIZE > bytes.length) return undefined;
    let end = position + FIXED_SIZE;
    const part = (place: number): number => {
      end += bytes.readUInt32LE(position + place * 4);
      return end;
    };
    const [path, name, version, architecture] = [0, 1, 2, 3].map((place) => bytes.toString("utf8", end, part(place)));
    const own = bytes.subarray(end, part(4));
    if (end > bytes.length || path === undefined) return undefined;
    const at = position + IDENTITY;
    const size = bytes.readBigUInt64LE(at);
    const identity = {
      size,
      modifiedNs: bytes.readBigInt64LE(at + 8),
      changedNs: bytes.readBigInt64LE(at + 16),
      inode: bytes.readBigUInt64LE(at + 24),
    };
    const sha256 = bytes.toString("hex", position + DIGESTS, position + DIGESTS + 32);
    const md5 = bytes.toString("hex", position + DIGESTS + 32, position + FIXED_SIZE);
    const words = { name: name ?? "", version: version ?? "", architecture: architecture ?? "", own };
    const scanned = { path, size: Number(size), sha256, md5, ...words };
    cache.set(path, { identity, scanned, record: bytes.subarray(position, end) });
    position = end;
  }
  return cache;
}
