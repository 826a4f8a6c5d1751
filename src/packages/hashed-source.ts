import { FeedkeyError } from "../error.ts";
import { blockCount, digestOfBlock, hashBlock, type PackageHash, readBlock } from "./package-hash.ts";
import type { ByteSource } from "./source.ts";

/**
 * Reads a package and checks the digest of every block. Hashes a block each time it is read from the file, to detect a change between
 * two reads.
 */
export class HashedSource implements ByteSource {
  readonly size: number;
  readonly #inner: ByteSource;
  readonly #hash: PackageHash;
  #held: { readonly index: number; readonly block: Uint8Array } | undefined;

  /** @throws FeedkeyError `size_mismatch` if the package has another size than `+PKG_HASH` says */
  constructor(inner: ByteSource, hash: PackageHash) {
    if (inner.size !== hash.fileSize) {
      const problem = `the package inside should have ${hash.fileSize} bytes, but has ${inner.size}`;
      throw new FeedkeyError("size_mismatch", problem, {
        details: { expected: hash.fileSize, got: inner.size },
        hint: "the file was changed after it was signed: get the file again from another mirror",
      });
    }
    this.size = inner.size;
    this.#inner = inner;
    this.#hash = hash;
  }

  /** @throws FeedkeyError `digest_mismatch` if a block was changed; `bad_package` if the package ends before the last byte */
  read(position: number, length: number): Uint8Array {
    const { blockSize } = this.#hash;
    const parts: Uint8Array[] = [];
    for (let at = position; at < position + length; ) {
      const index = Math.floor(at / blockSize);
      const start = at - index * blockSize;
      const part = this.#block(index).subarray(start, start + position + length - at);
      // The caller requests bytes after the end of the package, so the inner source throws.
      if (part.length === 0) return this.#inner.read(position, length);
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Yields all blocks in order. @throws FeedkeyError `digest_mismatch` if a block was changed */
  *blocks(): Generator<Uint8Array, void, undefined> {
    for (let index = 0; index < blockCount(this.#hash); index += 1) yield this.#block(index);
  }

  #block(index: number): Uint8Array {
    if (index >= blockCount(this.#hash)) return new Uint8Array();
    if (this.#held?.index === index) return this.#held.block;
    const block = readBlock(this.#inner, this.#hash, index);
    if (Buffer.compare(hashBlock(block), digestOfBlock(this.#hash, index)) !== 0) {
      throw new FeedkeyError(
        "digest_mismatch",
        `block ${index + 1} of the package inside does not match its signed digest`,
        {
          details: { block: index },
          hint: "the file was changed after it was signed: get the file again from another mirror",
        },
      );
    }
    this.#held = { index, block };
    return block;
  }
}
