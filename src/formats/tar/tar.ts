/** Reads a tar archive (POSIX ustar and pax, and GNU). The reader is so strict that every other reader sees the same files. */
import { asBuffer } from "../line-cursor.ts";
import { damage, quote } from "./damage.ts";
import { BLOCK, Extensions, readHeader, type TarHeader } from "./tar-header.ts";

/** The limit for entries in a package's archive, including headers for long names. Real packages have far fewer entries. */
const maxEntries = 10_000;

/** The size limit, in bytes, for a header with a long name or pax records. */
const maxExtension = 1 << 20;

export interface TarEntry {
  /** The name from the archive, unchanged. */
  readonly name: string;
  /** The path after unpacking: the name without `.` and empty parts. */
  readonly path: string;
  /** Whether the entry is a regular file, not a link, folder or device. */
  readonly isFile: boolean;
  readonly isFolder: boolean;
  /** Whether the entry is a symbolic or hard link. */
  readonly isLink: boolean;
}

/** An entry with its content. The content is empty unless `wanted` requested the content. */
export interface ReadEntry extends TarEntry {
  readonly content: Uint8Array;
}

/** Returns the size limit, in bytes, for an entry's content; undefined if the walk must skip the content. May throw. */
type Wanted = (entry: TarEntry) => number | undefined;

/**
 * Returns the entries in a whole archive, in their order.
 * @param most the limit for entries in the archive
 * @throws FeedkeyError `bad_package` if the archive is damaged, has no end mark, has anything after the end mark, has too many
 *   entries, or has a path that leads out of the archive; any error that `wanted` throws
 */
export function tarEntries(archive: Uint8Array, wanted: Wanted, most = maxEntries): Iterable<ReadEntry> {
  const walk = new Walk(wanted, true, most);
  walk.add(archive);
  walk.end();
  // The walk has the whole archive, so the walk never yields undefined.
  return walk.entries() as Iterable<ReadEntry>;
}

/**
 * Visits the entries in an archive that arrives in pieces of any size. Reads no more pieces than needed. The end mark may be
 * missing.
 * @param visit receives each entry, and returns whether to continue; a callback, because awaiting each entry would be slow
 * @throws FeedkeyError like `tarEntries`; any error from `pieces` or `visit`
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
  // Older programs mark a folder with a slash at the end of its name.
  const isFile = (type === "0" && !name.endsWith("/")) || type === "7";
  // Readers disagree about whether content follows this header. So they could see different entries after the header.
  if (!isFile && size !== 0) throw damage(`tar entry ${quote(name)} is not a file but has a size of ${size} bytes`);
  const isFolder = type === "5" || (type === "0" && !isFile);
  return { name, path: pathInside(name), isFile, isFolder, isLink: type === "1" || type === "2" };
}

function pathInside(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..")) throw damage(`tar entry ${quote(name)} leads out of the archive`);
  return parts.join("/");
}

/** Reads the entries of an archive that arrives in pieces. */
class Walk {
  readonly #wanted: Wanted;
  readonly #mustEnd: boolean;
  readonly #most: number;
  /** The number of bytes that the walk has read or skipped so far. */
  #position = 0;
  #piece: Buffer = nothing;
  /** The number of bytes in the current piece that the walk has used. */
  #used = 0;
  #isLast = false;

  constructor(wanted: Wanted, mustEnd: boolean, most: number) {
    this.#wanted = wanted;
    this.#mustEnd = mustEnd;
    this.#most = most;
  }

  /** Adds the next piece of the archive. Call this method only when the walk needs another piece. */
  add(piece: Uint8Array): void {
    this.#piece = asBuffer(piece);
    this.#used = 0;
  }

  /** Tells the walk that no piece follows. */
  end(): void {
    this.#isLast = true;
  }

  /** Yields the entries, and undefined whenever the walk needs the next piece. */
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

  /** Throws if anything but zeros follows the end mark. Installers stop at the end mark and do not see the bytes after it. */
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

  /** Returns the next `length` bytes, or fewer at the end of the archive. */
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

  /** Returns the next `length` bytes; undefined if the current piece has fewer bytes left. */
  #step(length: number): Buffer | undefined {
    const start = this.#used;
    if (length > this.#left) return undefined;
    this.#used += length;
    this.#position += length;
    return this.#piece.subarray(start, start + length);
  }
}
