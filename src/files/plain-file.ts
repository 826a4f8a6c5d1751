/**
 * Reads regular files that another user may have replaced, for example by a pipe. So it never waits for a file, and reads only
 * up to a size limit.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { FileOwner } from "./staged-stream.ts";

interface PlainFile {
  readonly bytes: Buffer;
  /** The permission bits of the file. */
  readonly mode: number;
  readonly owner: FileOwner;
}

/** The reason why something is not a plain file, or why feedkey can't use the file. */
export interface NotPlain {
  readonly problem: string;
}

/** Describes something that is not a regular file, with words such as `is a named pipe`. */
export function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return "is a symbolic link";
  if (stat.isDirectory()) return "is a folder";
  if (stat.isFIFO()) return "is a named pipe";
  if (stat.isSocket()) return "is a socket";
  return "is a device";
}

/** Makes the error for a path at which feedkey finds something other than the expected file or folder. */
export function notExpected(path: string, problem: string, expected: string): FeedkeyError {
  const isKind = problem.startsWith("is a ");
  const wanted = isKind ? `: expected ${expected}` : "";
  return new FeedkeyError("bad_path", `${escapeText(path)} ${problem}${wanted}`, {
    details: { path, problem },
    hint: isKind
      ? `find out who put it there, and remove it; feedkey does not follow symbolic links here`
      : problem.startsWith("is larger")
        ? "find out who wrote so large a file, and remove it"
        : "run the command again once the program that writes there has ended",
  });
}

/**
 * Opens a regular file, and passes its file descriptor to a function.
 * @param most the size limit in bytes; for a larger file, the result is a problem
 * @param read reads the file; returns undefined if the file has become larger since it was opened
 * @param follow whether the path may be a symbolic link
 * @throws the system's error, such as ENOENT
 */
export function withPlainFile<Read>(
  path: string,
  most: number,
  read: (descriptor: number, stat: Stats) => Read | undefined,
  follow = false,
): Read | NotPlain {
  // This check comes before opening, because opening a device may start the device.
  const there = follow ? statSync(path) : lstatSync(path);
  if (!there.isFile()) return { problem: kindOf(there) };
  const descriptor = openPlain(path, follow);
  if (typeof descriptor !== "number") return descriptor;
  try {
    // The open file is checked again, because somebody may have replaced the file after the first check.
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { problem: kindOf(stat) };
    if (stat.size > most) return { problem: `is larger than ${most} bytes` };
    return read(descriptor, stat) ?? { problem: "grows while it is read" };
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file, and does not wait for a pipe. @returns a problem if the path is a symbolic link @throws the system's error */
export function openPlain(path: string, follow = false): number | NotPlain {
  try {
    // O_NONBLOCK is needed because somebody may have replaced the file by a pipe.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (follow ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    if (systemCode(error) === "ELOOP") return { problem: "is a symbolic link" };
    throw error;
  }
}

/** Reads a whole regular file. The parameters are those of {@link withPlainFile}. */
export function readPlainFile(
  path: string,
  most: number,
  { follow = false }: { readonly follow?: boolean } = {},
): PlainFile | NotPlain {
  const read = (descriptor: number, { size, mode, uid, gid }: Stats) => {
    const room = Buffer.allocUnsafeSlow(size + 1);
    let filled = 0;
    for (let count = -1; count !== 0; filled += count) {
      count = readSync(descriptor, room, filled, room.length - filled, null);
    }
    return filled > size ? undefined : { bytes: room.subarray(0, filled), mode: mode & 0o7777, owner: { uid, gid } };
  };
  return withPlainFile(path, most, read, follow);
}

/**
 * Opens a file, lets the caller check the open file, and reads it. So nobody can replace the file between check and reading.
 * @param flags the flags for open(), in addition to `O_RDONLY`
 * @throws every error of the check, and the system's errors
 */
export async function readChecked(
  path: string,
  flags: number,
  check: (stat: Stats, handle: fs.FileHandle) => void | Promise<void>,
): Promise<Buffer> {
  const handle = await fs.open(path, constants.O_RDONLY | flags);
  try {
    await check(await handle.stat(), handle);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Reads an open file or pipe, up to the given number of bytes. */
export async function readUpTo(handle: fs.FileHandle, most: number): Promise<Buffer> {
  const room = Buffer.allocUnsafeSlow(most);
  let filled = 0;
  while (filled < most) {
    const { bytesRead } = await handle.read(room, filled, most - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return room.subarray(0, filled);
}
