/** `+PKG_HASH` of a signed pkgsrc package: what its signature covers (pkg_install's pkg_signature.c). */
import { createHash } from "node:crypto";
import { damage } from "./damage.ts";
import type { ByteSource } from "./source.ts";

const DIGEST_SIZE = 64;
const MIN_BLOCK = 1024;
/** A block is kept in memory as a whole. */
const MAX_BLOCK = 16 * 1024 * 1024;
const USUAL_BLOCK = 65_536;

export interface PackageHash {
  /** Name and version of the package. */
  readonly pkgname: string;
  /** Bytes. */
  readonly blockSize: number;
  /** Bytes of the package inside. */
  readonly fileSize: number;
  /** SHA-512 of each block, one after the other. */
  readonly digests: Uint8Array;
}

/** How many blocks a package has. */
export function blockCount({ fileSize, blockSize }: Pick<PackageHash, "fileSize" | "blockSize">): number {
  return Math.ceil(fileSize / blockSize);
}

/** The digest of one block. */
export function digestOfBlock({ digests }: PackageHash, index: number): Uint8Array {
  return digests.subarray(index * DIGEST_SIZE, (index + 1) * DIGEST_SIZE);
}

/** pkg_add refuses every package whose size is a multiple of the block size: it expects a last block of 0 bytes. */
export function chooseBlockSize(fileSize: number): number {
  let size = USUAL_BLOCK;
  while (fileSize % size === 0) size += 1;
  return size;
}

/**
 * Hashes a package block by block.
 * @throws FeedkeyError `bad_package` for an empty one
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

/** SHA-512. */
export function hashBlock(block: Uint8Array): Uint8Array {
  return createHash("sha512").update(block).digest();
}

/** The bytes of the file: line feeds only, digests in lower case. */
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
 * Reads the file, in canonical form only.
 * @throws FeedkeyError `bad_package`
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
  // No leading zeros or the like: one text for one meaning.
  if (!formatPackageHash(hash).equals(bytes))
    throw damage('"+PKG_HASH" has numbers that are not written as pkg_admin writes them');
  return hash;
}
