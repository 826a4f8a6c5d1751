import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { FeedkeyError, systemCode } from "../error.ts";
import { damage } from "./damage.ts";

/** Bytes that can be read at any position. */
export interface ByteSource {
  /** The total size in bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from `position`.
   * @throws FeedkeyError `bad_package` if the source ends before the last byte; `not_found` if the system can't read the source
   */
  read(position: number, length: number): Uint8Array;
}

/** Returns a source over bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(position, length) {
      if (position + length > bytes.length) throw endsEarly(position, length, bytes.length);
      return bytes.subarray(position, position + length);
    },
  };
}

/** Returns a part of a source as a separate source. @param offset in bytes @param size in bytes */
export function partOf(source: ByteSource, offset: number, size: number): ByteSource {
  return {
    size,
    read(position, length) {
      if (position + length > size) throw endsEarly(position, length, size);
      return source.read(offset + position, length);
    },
  };
}

/** Yields a whole source in pieces. @param length maximum size of a piece in bytes */
export function* piecesOf(source: ByteSource, length: number): Generator<Uint8Array, void, undefined> {
  for (let position = 0; position < source.size; position += length) {
    yield source.read(position, Math.min(length, source.size - position));
  }
}

/**
 * Opens a package file for reading.
 * @param flags flags to add to `O_RDONLY` and `O_NONBLOCK`, for example `O_NOFOLLOW`
 * @returns the file descriptor
 * @throws FeedkeyError `not_found` if the file can't be opened
 */
export function openPackage(path: string, flags = 0): number {
  try {
    // Without O_NONBLOCK, the program would wait for a writer if the file is a named pipe.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * Opens a package file, runs an action on its content, and closes the file.
 * @throws FeedkeyError `not_found` if the file can't be opened; `bad_package` if the file is not a regular file; the action's errors
 */
export async function withPackage<Found>(path: string, action: (source: ByteSource) => Promise<Found>): Promise<Found> {
  const descriptor = openPackage(path);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw damage("is not a regular file");
    return await action(fileSource(descriptor, status.size));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads from an open file into `into`, with one system call.
 * @returns the number of bytes read; 0 at the end of the file
 * @throws FeedkeyError `not_found` if the system can't read the file
 */
export function readAt(descriptor: number, into: Uint8Array, position: number): number {
  try {
    return readSync(descriptor, into, 0, into.length, position);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): FeedkeyError {
  return new FeedkeyError("not_found", `cannot be read: ${systemCode(error) ?? "unknown error"}`, { cause: error });
}

/**
 * Returns a source over an open file of `size` bytes. Reads are synchronous, because they are few and small, and usually run in
 * worker threads.
 */
export function fileSource(descriptor: number, size: number): ByteSource {
  return {
    size,
    read(position, length) {
      if (position + length > size) throw endsEarly(position, length, size);
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const count = readAt(descriptor, bytes.subarray(filled), position + filled);
        // The file has become shorter since its size was read.
        if (count === 0) throw endsEarly(position, length, position + filled);
        filled += count;
      }
      return bytes;
    },
  };
}

function endsEarly(position: number, length: number, size: number): Error {
  return damage(`expected ${length} bytes at byte ${position}, but the file ends at byte ${size}`);
}
