/**
 * The records of the scan cache, little-endian, one after the other: u32 length of path, u32 length of control file,
 * u64 size, u64 time of modification, u64 time of change, u64 inode, 32 bytes SHA-256, 16 bytes MD5, path, control.
 */
import type { CachedPackage, ScanCache } from "./scan-cache.ts";

const FIXED_SIZE = 4 + 4 + 4 * 8 + 32 + 16;

/** The bytes of all entries, as `readRecords` reads them back. */
export function writeRecords(cache: ScanCache): Buffer {
  const records: Uint8Array[] = [];
  for (const [path, { identity, scanned }] of cache) {
    const name = Buffer.from(path, "utf8");
    const fixed = Buffer.alloc(FIXED_SIZE);
    fixed.writeUInt32LE(name.length, 0);
    fixed.writeUInt32LE(scanned.control.length, 4);
    fixed.writeBigUInt64LE(identity.size, 8);
    fixed.writeBigInt64LE(identity.modifiedNs, 16);
    fixed.writeBigInt64LE(identity.changedNs, 24);
    fixed.writeBigUInt64LE(identity.inode, 32);
    fixed.write(scanned.sha256, 40, "hex");
    fixed.write(scanned.md5, 72, "hex");
    records.push(fixed, name, scanned.control);
  }
  return Buffer.concat(records);
}

/** Undefined if the bytes are not what {@link writeRecords} makes. Control files are views into the bytes. */
export function readRecords(bytes: Buffer): ScanCache | undefined {
  const cache = new Map<string, CachedPackage>();
  for (let position = 0; position < bytes.length; ) {
    if (position + FIXED_SIZE > bytes.length) return undefined;
    const nameStart = position + FIXED_SIZE;
    const controlStart = nameStart + bytes.readUInt32LE(position);
    const end = controlStart + bytes.readUInt32LE(position + 4);
    if (end > bytes.length) return undefined;
    const path = bytes.toString("utf8", nameStart, controlStart);
    const size = bytes.readBigUInt64LE(position + 8);
    const identity = {
      size,
      modifiedNs: bytes.readBigInt64LE(position + 16),
      changedNs: bytes.readBigInt64LE(position + 24),
      inode: bytes.readBigUInt64LE(position + 32),
    };
    const sha256 = bytes.toString("hex", position + 40, position + 72);
    const md5 = bytes.toString("hex", position + 72, position + 88);
    const control = bytes.subarray(controlStart, end);
    cache.set(path, { identity, scanned: { path, size: Number(size), sha256, md5, control } });
    position = end;
  }
  return cache;
}
