/** Walks a tar archive (POSIX ustar and pax, and GNU), strictly enough that no other reader sees other files. */
import { asBuffer } from "../line-cursor.ts";
import { damage, quote } from "./damage.ts";
import { BLOCK, Extensions, readHeader, type TarHeader } from "./tar-header.ts";

/** Entries in the archive of a package, headers of long names included. A real one stays far below. */
const maxEntries = 10_000;

/** Bytes of a header that gives a long name or pax records. */
const maxExtension = 1 << 20;

export interface TarEntry {
  /** As in the archive. */
  readonly name: string;
  /** The name without `.` and empty parts: the path once unpacked. */
  readonly path: string;
  /** A plain file, not a link, folder or device. */
  readonly isFile: boolean;
  readonly isFolder: boolean;
  /** A symbolic or hard link. */
  readonly isLink: boolean;
}

/** The content of a file if it was wanted, else empty. */
export interface ReadEntry extends TarEntry {
  readonly content: Uint8Array;
}

/** Bytes of content that an entry may have, if it is to be read; undefined to skip it. It may throw. */
export type Wanted = (entry: TarEntry) => number | undefined;

/**
 * The entries of a whole archive in their order.
 * @param most how many there may be
 * @throws FeedkeyError `bad_package` for a damaged archive or one without its end mark, a path that leads out of it, too many entries,
 *   anything after the end mark; what `wanted` throws
 */
export function tarEntries(archive: Uint8Array, wanted: Wanted, most = maxEntries): Iterable<ReadEntry> {
  const walk = new Walk(wanted, true, most);
  walk.add(archive);
  walk.end();
  // Nothing more is ever needed.
  return walk.entries() as Iterable<ReadEntry>;
}

/**
 * The same from pieces of any size, reading no more than needed. The end mark may be missing.
 * @param visit gets each entry, and returns whether to go on: a callback, since awaiting each entry would be slow
 * @throws FeedkeyError as `tarEntries`; whatever the pieces and `visit` throw
 */
export async function visitEntries(
  pieces: AsyncIterable<Uint8Array>,
  wanted: Wanted,
  visit: (entry: ReadEntry) => boolean,
): Promise<void> {
  const walk = new Walk(wanted, false, maxEntries);
  const entries = walk.entries();
  const goOn = () => {
    for (let next = entries.next(); next.done !== true && next.value !== undefined; next = entries.next()) {
      if (!visit(next.value)) return false;
    }
    return true;
  };
  for await (const piece of pieces) {
    walk.add(piece);
    if (!goOn()) return;
  }
  walk.end();
  goOn();
}

const zeros = Buffer.alloc(BLOCK);
const nothing = Buffer.alloc(0);

function endsEarly(): Error {
  return damage("tar archive is damaged or ends early");
}

function tooLarge(what: string, size: number, limit: number): Error {
  return damage(`${what} has ${size} bytes, but at most ${limit} are read`, { reason: "limits" });
}

function describe({ name, type, size }: TarHeader): TarEntry {
  // Older writers mark folders by a slash at the end of their names.
  const isFile = (type === "0" && !name.endsWith("/")) || type === "7";
  // Readers disagree whether content follows such a size, and would see other entries after it.
  if (!isFile && size !== 0) throw damage(`tar entry ${quote(name)} is not a file but has a size of ${size} bytes`);
  const isFolder = type === "5" || (type === "0" && !isFile);
  return { name, path: pathInside(name), isFile, isFolder, isLink: type === "1" || type === "2" };
}

function pathInside(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..")) throw damage(`tar entry ${quote(name)} leads out of the archive`);
  return parts.join("/");
}

/** Goes through an archive that comes in pieces. */
class Walk {
  readonly #wanted: Wanted;
  readonly #mustEnd: boolean;
  readonly #most: number;
  /** Bytes that were taken or skipped so far. */
  #position = 0;
  #piece: Buffer = nothing;
  /** Bytes of the piece that are used up. */
  #used = 0;
  #isLast = false;

  constructor(wanted: Wanted, mustEnd: boolean, most: number) {
    this.#wanted = wanted;
    this.#mustEnd = mustEnd;
    this.#most = most;
  }

  /** Gives it more of the archive, once it needs more. */
  add(piece: Uint8Array): void {
    this.#piece = asBuffer(piece);
    this.#used = 0;
  }

  /** There is no more. */
  end(): void {
    this.#isLast = true;
  }

  /** The entries; undefined if more of the archive is needed. */
  *entries(): Generator<ReadEntry | undefined, void> {
    const extensions = new Extensions();
    for (let count = 1; ; count++) {
      const block = this.#step(BLOCK) ?? (yield* this.#take(BLOCK));
      if (block.length === 0) break;
      if (block.length < BLOCK) throw endsEarly();
      if (block.equals(zeros)) {
        if (extensions.pending) throw endsEarly();
        return yield* this.#nothingMore();
      }
      if (count > this.#most) {
        throw damage(`tar archive has more than ${this.#most} entries`, { reason: "limits" });
      }
      const header = readHeader(block, this.#position - BLOCK);
      if (/^[LKxg]$/.test(header.type)) {
        if (header.size > maxExtension) throw tooLarge("a tar header", header.size, maxExtension);
        extensions.add(header.type, yield* this.#takeAll(header.size));
      } else {
        yield* this.#entry(extensions.applyTo(header));
      }
      yield* this.#skip(-this.#position & (BLOCK - 1));
    }
    if (extensions.pending) throw endsEarly();
    if (this.#mustEnd) throw damage("tar archive ends without its end mark");
  }

  *#entry(header: TarHeader): Generator<ReadEntry | undefined, void> {
    const entry = describe(header);
    const limit = this.#wanted(entry);
    if (limit === undefined) {
      yield { ...entry, content: nothing };
      yield* this.#skip(header.size);
    } else {
      if (header.size > limit) throw tooLarge(quote(entry.name), header.size, limit);
      yield { ...entry, content: yield* this.#takeAll(header.size) };
    }
  }

  /** Only zeros may follow the end mark: installers stop there, and would not see anything else. */
  *#nothingMore(): Generator<undefined, void> {
    for (;;) {
      const rest = this.#step(Math.min(this.#left, zeros.length)) ?? nothing;
      if (!rest.equals(zeros.subarray(0, rest.length))) {
        throw damage("something follows the end of the tar archive");
      }
      if (rest.length > 0) continue;
      if (this.#isLast) return;
      yield;
    }
  }

  /** That many bytes, or fewer at the end. */
  *#take(length: number): Generator<undefined, Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part = this.#step(Math.min(missing, this.#left)) ?? nothing;
      missing -= part.length;
      parts.push(part);
      if (part.length > 0) continue;
      if (this.#isLast) break;
      yield;
    }
    return Buffer.concat(parts);
  }

  *#takeAll(length: number): Generator<undefined, Buffer> {
    const bytes = this.#step(length) ?? (yield* this.#take(length));
    if (bytes.length < length) throw endsEarly();
    return bytes;
  }

  *#skip(length: number): Generator<undefined, void> {
    for (let missing = length; missing > 0; ) {
      const count = Math.min(missing, this.#left);
      this.#used += count;
      this.#position += count;
      missing -= count;
      if (missing === 0) return;
      if (this.#isLast) throw endsEarly();
      yield;
    }
  }

  get #left(): number {
    return this.#piece.length - this.#used;
  }

  /** That many bytes, if the piece has them. */
  #step(length: number): Buffer | undefined {
    const start = this.#used;
    if (length > this.#left) return undefined;
    this.#used += length;
    this.#position += length;
    return this.#piece.subarray(start, start + length);
  }
}
