/** Walks a tar archive (POSIX ustar and pax, and GNU), strictly enough that no other reader sees other files. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Extract, extract } from "tar-stream";
import { FeedkeyError } from "../error.ts";
import { damage, quote } from "./damage.ts";
import { MAX_TAR_ENTRIES } from "./limits.ts";

export interface TarEntry {
  /** As the archive spells it. */
  readonly name: string;
  /** The name without `.` and empty parts: what it names once unpacked. */
  readonly path: string;
  /** A plain file, as against links, folders and devices. */
  readonly isFile: boolean;
  /** A symbolic or hard link. */
  readonly isLink: boolean;
  /** Where the content begins in the archive, in bytes. */
  readonly offset: number;
  /** Bytes of content. */
  readonly size: number;
  /**
   * The content, to be read before the next entry is asked for.
   * @throws FeedkeyError `bad_package` if it is larger than `limit` bytes, or the archive ends within it
   */
  content(limit: number): Promise<Uint8Array>;
}

/**
 * The entries in their order. What is not read is skipped; ending the loop early stops reading the pieces.
 * @param archive the whole of it, or pieces of any size
 * @throws FeedkeyError `bad_package` for a damaged archive, a path that leads out of it, too many entries; whatever
 *   the pieces throw as FeedkeyError
 */
export async function* tarEntries(
  archive: Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<TarEntry, void, undefined> {
  const reader = extract();
  // A failure of the pieces destroys the reader, and so comes out of the loop below.
  const feeding = feed(archive, reader);
  let count = 0;
  try {
    for await (const entry of reader) {
      count += 1;
      if (count > MAX_TAR_ENTRIES) {
        throw damage(`tar archive has more than ${MAX_TAR_ENTRIES} entries`, { reason: "limits" });
      }
      yield describe(entry);
      entry.resume();
    }
  } catch (error) {
    throw readingError(error);
  } finally {
    reader.destroy();
    await feeding;
  }
}

/** What to throw for an error of the reader's: what the pieces threw stays as it is. */
function readingError(error: unknown): FeedkeyError {
  if (error instanceof FeedkeyError) return error;
  return new FeedkeyError("bad_package", "tar archive is damaged or ends early", { cause: error });
}

async function feed(archive: Uint8Array | AsyncIterable<Uint8Array>, reader: Extract): Promise<void> {
  if (archive instanceof Uint8Array) {
    reader.end(archive);
  } else {
    await pipeline(Readable.from(archive, { objectMode: false }), reader).catch(() => undefined);
  }
}

type Entry = Extract extends AsyncIterable<infer Each> ? Each : never;

function describe(entry: Entry): TarEntry {
  const { name, size, type } = entry.header;
  const isFile = type === "file" || type === "contiguous-file";
  // Readers differ on whether such a size is followed by content, and would see other entries after it.
  if (!isFile && size !== 0) throw damage(`tar entry ${quote(name)} is no file but has a size of ${size} bytes`);
  return {
    name,
    path: pathInside(name),
    isFile,
    isLink: type === "symlink" || type === "link",
    offset: offsetOf(entry),
    size,
    async content(limit) {
      if (size > limit)
        throw damage(`${quote(name)} has ${size} bytes, at most ${limit} are read`, { reason: "limits" });
      const parts: Uint8Array[] = [];
      try {
        for await (const part of entry as AsyncIterable<Uint8Array>) parts.push(part);
      } catch (error) {
        throw readingError(error);
      }
      return Buffer.concat(parts, size);
    },
  };
}

function pathInside(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..")) throw damage(`tar entry ${quote(name)} leads out of the archive`);
  return parts.join("/");
}

function offsetOf(entry: Entry): number {
  // tar-stream sets it; its types do not say so.
  if ("byteOffset" in entry.header && typeof entry.header.byteOffset === "number") return entry.header.byteOffset;
  throw new FeedkeyError("internal", "the tar reader does not tell the offset of an entry");
}
