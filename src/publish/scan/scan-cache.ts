/**
 * Saves the results of a scan, so that the next run reads only new packages. Anyone who can write to the cache can choose the published
 * digests. So the cache is private, in the key store. feedkey ignores a cache that is damaged, belongs to another user, or is writable
 * by others.
 * Layout of the file: `magic`, body, head, SHA-256 of the head, size of the body in bytes (f64). The head lists the scanned files: SHA-256
 * of the body, number of packages (u32), size of the words in bytes (u32), the identity of each package (four f64), and each path with a
 * newline. If no file has changed, feedkey reads only the head. The body contains, for each package, 48 bytes of digests, the length of
 * the stanza (u32) and three lines of words. All stanzas follow. Numbers are in native byte order.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { systemCode } from "../../error.ts";
import { StagedStream } from "../../files/staged-stream.ts";
import type { Instant } from "../../time.ts";
import { type FileIdentity, identitySize } from "./file-identity.ts";
import { digestsSize, type ScanTable } from "./scan-table.ts";
import type { FoundPackages } from "./scan-walk.ts";

// Increase this number if the columns or the checks of packages change. feedkey then ignores older caches and reads all packages again.
const magic = Buffer.from("feedkey scan cache 5\n", "latin1");
const hashSize = 32;
const numbersSize = 2 * 4;
const trailerSize = hashSize + 8;
const piece = 256 * 1024;

/**
 * The coarsest time resolution of file systems, in milliseconds. If a file changes twice within this time, the file's times do not show the
 * second change.
 */
const RACY_MS = 2000;

/**
 * Whether a file was unchanged for so long before the scan that the file's times must show any later change. git calls index entries for
 * all other files "racy".
 */
export function isSettled(
  { modified, changed }: Pick<FileIdentity, "modified" | "changed">,
  startedAt: Instant,
): boolean {
  return modified < startedAt - RACY_MS && changed < startedAt - RACY_MS;
}

function bytesOf(numbers: Float64Array | Uint32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

const textOf = (lines: readonly string[]) => Buffer.from(lines.length === 0 ? "" : `${lines.join("\n")}\n`);
const linesOf = (text: Buffer) => text.toString("utf8").split("\n").slice(0, -1);

/** The saved results of an earlier scan of the same folder. */
export class ScanCache {
  /** A digest of everything in the cache, in hex. */
  readonly digest: string;
  readonly #file: number;
  readonly #bodyHash: Buffer;
  readonly #bodyLength: number;
  readonly #wordsLength: number;
  readonly #identities: Float64Array;
  readonly #paths: Buffer;

  private constructor(file: number, head: Buffer, bodyLength: number) {
    const count = head.length < hashSize + numbersSize ? 0 : head.readUint32LE(hashSize);
    const paths = hashSize + numbersSize + count * identitySize * 8;
    if (paths > head.length) throw new RangeError("its head is too short");
    this.#file = file;
    this.digest = sha256(head).toString("hex");
    this.#bodyHash = head.subarray(0, hashSize);
    this.#bodyLength = bodyLength;
    this.#wordsLength = head.readUint32LE(hashSize + 4);
    this.#identities = new Float64Array(count * identitySize);
    bytesOf(this.#identities).set(head.subarray(hashSize + numbersSize, paths));
    this.#paths = head.subarray(paths);
  }

  /** Loads a cache; returns undefined if the cache does not exist or is not trustworthy. */
  static load(path: string): ScanCache | undefined {
    let file: number | undefined;
    try {
      file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const { mode, uid, size } = fstatSync(file);
      if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) throw new RangeError("other users can write to it");
      const trailer = readAt(file, size - trailerSize, trailerSize);
      const bodyLength = trailer.readDoubleLE(hashSize);
      const headAt = magic.length + bodyLength;
      const head = readAt(file, headAt, size - trailerSize - headAt);
      const isRight = readAt(file, 0, magic.length).equals(magic) && sha256(head).equals(trailer.subarray(0, hashSize));
      if (isRight) return new ScanCache(file, head, bodyLength);
    } catch (error) {
      if (!(error instanceof RangeError) && systemCode(error) === undefined) throw error;
    }
    if (file !== undefined) closeSync(file);
    return undefined;
  }

  get count(): number {
    return this.#identities.length / identitySize;
  }

  /** Whether the earlier scan found exactly these files, and no file has changed since then. */
  isOf({ identities, paths }: FoundPackages): boolean {
    return bytesOf(identities).equals(bytesOf(this.#identities)) && textOf(paths).equals(this.#paths);
  }

  /** Fills in the table's rows for files that have not changed. */
  fill(table: ScanTable): void {
    const body = this.#readBody(table);
    if (body === undefined) return;
    const known = new Map(linesOf(this.#paths).map((path, place) => [path, place]));
    const identity = (of: Float64Array, at: number) => bytesOf(of.subarray(at * identitySize, (at + 1) * identitySize));
    for (const [row, path] of table.found.paths.entries()) {
      const at = known.get(path);
      if (at === undefined || !identity(this.#identities, at).equals(identity(table.found.identities, row))) continue;
      table.names[row] = body.words[at * 3] ?? "";
      table.versions[row] = body.words[at * 3 + 1] ?? "";
      table.architectures[row] = body.words[at * 3 + 2] ?? "";
      table.digests.set(body.digests.subarray(at * digestsSize, (at + 1) * digestsSize), row * digestsSize);
      table.starts[row] = body.starts[at] ?? 0;
      table.lengths[row] = body.lengths[at] ?? 0;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Reads the body, and adds the body's stanzas to the table's texts; returns undefined if the body is damaged. */
  #readBody({ texts }: ScanTable) {
    const { count } = this;
    const columns = count * (digestsSize + 4) + this.#wordsLength;
    if (columns > this.#bodyLength) return undefined;
    const front = readAt(this.#file, magic.length, columns);
    const hash = createHash("sha256").update(front);
    const first = texts.length;
    for (let at = columns; at < this.#bodyLength; at += piece) {
      const bytes = readAt(this.#file, magic.length + at, Math.min(piece, this.#bodyLength - at));
      hash.update(bytes);
      texts.write(bytes);
    }
    const digests = front.subarray(0, count * digestsSize);
    const lengths = new Uint32Array(count);
    bytesOf(lengths).set(front.subarray(digests.length, digests.length + count * 4));
    const words = linesOf(front.subarray(digests.length + count * 4));
    let end = first;
    const starts = Float64Array.from(lengths, (length) => {
      end += length;
      return end - length;
    });
    const isRight = hash.digest().equals(this.#bodyHash) && words.length === count * 3 && end === texts.length;
    return isRight ? { digests, lengths, words, starts } : undefined;
  }
}

/**
 * Reads bytes from a file.
 * @throws RangeError if the file ends too early
 */
function readAt(file: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const count = readSync(file, bytes, filled, length - filled, start + filled);
    if (count === 0) throw new RangeError("it ends before");
    filled += count;
  }
  return bytes;
}

/**
 * Saves rows of a table as a cache with mode 0600. After a failed write, no part of the cache stays.
 * @returns the digest of the cache, and a promise that resolves when the cache is in place
 * @throws FeedkeyError `output` if feedkey can't write the cache
 */
export async function saveScanCache(
  path: string,
  table: ScanTable,
  rows: readonly number[],
): Promise<{ readonly digest: string; readonly saved: Promise<void> }> {
  const { found, names, versions, architectures, texts } = table;
  const staged = await StagedStream.open(path, { mode: 0o600 });
  const hash = createHash("sha256");
  let length = 0;
  const write = async (bytes: Uint8Array) => {
    hash.update(bytes);
    length += bytes.length;
    await staged.write(bytes);
  };
  const columnOf = (column: Buffer, size: number) => {
    const picked = Buffer.allocUnsafeSlow(rows.length * size);
    for (const [place, row] of rows.entries()) column.copy(picked, place * size, row * size, (row + 1) * size);
    return picked;
  };
  const words = textOf(rows.flatMap((row) => [names[row] ?? "", versions[row] ?? "", architectures[row] ?? ""]));
  await staged.write(magic);
  await write(columnOf(table.digests, digestsSize));
  await write(columnOf(bytesOf(table.lengths), 4));
  await write(words);
  const stanzas: Buffer[] = [];
  for (const [place, row] of rows.entries()) {
    stanzas.push(Buffer.from(texts.read(table.starts[row] ?? 0, table.lengths[row] ?? 0)));
    if (stanzas.length < 512 && place + 1 < rows.length) continue;
    await write(Buffer.concat(stanzas.splice(0)));
  }
  const numbers = Uint32Array.of(rows.length, words.length);
  const identities = columnOf(bytesOf(found.identities), identitySize * 8);
  const paths = textOf(rows.map((row) => found.paths[row] ?? ""));
  const head = Buffer.concat([hash.digest(), bytesOf(numbers), identities, paths]);
  const digest = sha256(head);
  await staged.write(Buffer.concat([head, digest, bytesOf(Float64Array.of(length))]));
  return { digest: digest.toString("hex"), saved: staged.commit() };
}
