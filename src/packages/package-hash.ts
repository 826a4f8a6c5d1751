/** Reads and writes `+PKG_HASH`, the file in a signed pkgsrc package that the signature covers (pkg_install's pkg_signature.c). */
import { createHash } from "node:crypto";
import { damage } from "./damage.ts";
import type { ByteSource } from "./source.ts";

const DIGEST_SIZE = 64;
const MIN_BLOCK = 1024;
/** Maximum size of a block, in bytes. feedkey keeps a whole block in memory. */
const MAX_BLOCK = 16 * 1024 * 1024;
const USUAL_BLOCK = 65_536;

export interface PackageHash {
  /** Name and version of the package. */
  readonly pkgname: string;
  /** The size of a block, in bytes. */
  readonly blockSize: number;
  /** The size of the unsigned package, in bytes. */
  readonly fileSize: number;
  /** The SHA-512 digests of all blocks, one after another. */
  readonly digests: Uint8Array;
}

/** Returns the number of blocks in a package. */
export function blockCount({ fileSize, blockSize }: Pick<PackageHash, "fileSize" | "blockSize">): number {
  return Math.ceil(fileSize / blockSize);
}

/** Returns the digest of one block. */
export function digestOfBlock({ digests }: PackageHash, index: number): Uint8Array {
  return digests.subarray(index * DIGEST_SIZE, (index + 1) * DIGEST_SIZE);
}

/**
 * Chooses a block size that does not divide the file size. Otherwise pkg_add would expect a last block of 0 bytes and refuse the
 * package.
 * @param fileSize the size of the unsigned package, in bytes
 * @returns the block size in bytes
 */
export function chooseBlockSize(fileSize: number): number {
  let size = USUAL_BLOCK;
  while (fileSize % size === 0) size += 1;
  return size;
}

/**
 * Hashes a package block by block.
 * @throws FeedkeyError `bad_package` if the package is empty
 */
export function hashPackage(inner: ByteSource, pkgname: string): PackageHash {
  if (inner.size === 0) throw damage("is empty");
  const shape = { fileSize: inner.size, blockSize: chooseBlockSize(inner.size) };
  const digests: Uint8Array[] = [];
  for (let index = 0; index < blockCount(shape); index += 1) digests.push(hashBlock(readBlock(inner, shape, index)));
  return { pkgname, ...shape, digests: Buffer.concat(digests) };
}

/** Reads one block. @throws FeedkeyError `bad_package` if the source ends early */
export function readBlock(
  inner: ByteSource,
  { fileSize, blockSize }: Pick<PackageHash, "fileSize" | "blockSize">,
  index: number,
): Uint8Array {
  const start = index * blockSize;
  return inner.read(start, Math.min(blockSize, fileSize - start));
}

/** Computes the SHA-512 digest of a block. */
export function hashBlock(block: Uint8Array): Uint8Array {
  return createHash("sha512").update(block).digest();
}

/** Returns the bytes of `+PKG_HASH`, with line feeds only and digests in lower case. */
export function formatPackageHash(hash: PackageHash): Buffer {
  const lines = ["pkgsrc signature", "", "version: 1", `pkgname: ${hash.pkgname}`, "algorithm: SHA512"];
  lines.push(`block size: ${hash.blockSize}`, `file size: ${hash.fileSize}`, "");
  for (let index = 0; index < blockCount(hash); index += 1) {
    lines.push(Buffer.from(digestOfBlock(hash, index)).toString("hex"));
  }
  lines.push("end pkgsrc signature", "");
  return Buffer.from(lines.join("\n"), "latin1");
}

const shape =
  /^pkgsrc signature\n\nversion: 1\npkgname: ([\x21-\x7e]+)\nalgorithm: SHA512\nblock size: (\d{1,9})\nfile size: (\d{1,15})\n\n((?:[0-9a-f]{128}\n)+)end pkgsrc signature\n$/;

/**
 * Reads `+PKG_HASH`. Accepts only the canonical form.
 * @throws FeedkeyError `bad_package` if the file has another form
 */
export function parsePackageHash(bytes: Uint8Array): PackageHash {
  const text = Buffer.from(bytes).toString("latin1");
  const [, pkgname = "", block = "", file = "", digests = ""] = shape.exec(text) ?? [];
  if (pkgname === "") throw damage('"+PKG_HASH" is not in the form that pkg_admin writes');
  const hash = {
    pkgname,
    blockSize: Number(block),
    fileSize: Number(file),
    digests: Buffer.from(digests.replaceAll("\n", ""), "hex"),
  };
  if (hash.blockSize < MIN_BLOCK || hash.blockSize > MAX_BLOCK) {
    throw damage(`"+PKG_HASH" has a block size of ${hash.blockSize}, expected ${MIN_BLOCK} to ${MAX_BLOCK}`);
  }
  if (hash.fileSize < 1 || hash.digests.length !== blockCount(hash) * DIGEST_SIZE) {
    throw damage(`"+PKG_HASH" has ${hash.digests.length / DIGEST_SIZE} digests for a file of ${hash.fileSize} bytes`);
  }
  // The file must have exactly the bytes that pkg_admin writes. For example, no number may have leading zeros.
  if (!formatPackageHash(hash).equals(bytes))
    throw damage('"+PKG_HASH" has numbers that are not written as pkg_admin writes them');
  return hash;
}
