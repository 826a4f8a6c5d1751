/**
 * Finds out whether a file system keeps the modes of files. FAT and exFAT, as on USB sticks, do not: their files have the modes
 * that were set when the file system was mounted.
 */
import { type FileHandle, open, stat, statfs } from "node:fs/promises";
import { systemCode } from "../error.ts";

/** File system types in statfs(2) on Linux that have no modes: FAT, exFAT, and NTFS with its two drivers. */
const without: readonly number[] = [0x4d44, 0x2011bab0, 0x5346544e, 0x7366746e];
/** The type of any FUSE file system, such as exfat-fuse and ntfs-3g: only a test shows whether it keeps modes. */
const fuse = 0x65735546;

/** The functions with which `keepsModes` examines a file. */
export interface ModeProbe {
  /** Returns the type of the file system. */
  type(): Promise<number>;
  stat(): Promise<{ readonly mode: number; readonly uid: number }>;
  chmod(mode: number): Promise<void>;
}

/** Tells whether the owner of a file that is open to others could change the file's mode. */
export async function keepsModes(file: ModeProbe): Promise<boolean> {
  const type = await file.type();
  if (without.includes(type)) return false;
  if (type !== fuse) return true;
  const { mode, uid } = await file.stat();
  // This process can't change the mode of another user's file, so the test would show nothing about the file system.
  if (uid !== process.geteuid?.()) return true;
  const before = mode & 0o7777;
  try {
    await file.chmod(before & ~0o077);
  } catch (error) {
    return !["EPERM", "ENOTSUP", "ENOSYS", "EROFS"].includes(systemCode(error) ?? "");
  }
  if ((await file.stat()).mode === mode) return false;
  await file.chmod(before);
  return true;
}

/** Returns the functions for an open file. @param path the file's path */
export function probeOf(handle: FileHandle, path: string): ModeProbe {
  return {
    type: async () => (await statfs(path)).type,
    stat: () => handle.stat(),
    chmod: (mode) => handle.chmod(mode),
  };
}

/**
 * Returns a warning if a folder is on a file system without modes, so that other users may read the secret keys in the folder;
 * else undefined. Returns no warning for a folder that can't be read, because reading from the folder fails later.
 */
export async function warnOfModes(folder: string): Promise<string | undefined> {
  try {
    if (((await stat(folder)).mode & 0o077) === 0) return undefined;
    const handle = await open(folder, "r");
    try {
      if (await keepsModes(probeOf(handle, folder))) return undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
  return `"${folder}" is on a file system that keeps no modes (FAT, exFAT): other users of this machine may read the secret keys there; mount it with umask=077`;
}
