/**
 * Finds out whether a file system stores the modes of files. FAT and exFAT, which USB sticks use, do not: all files have the
 * mode that was set when the file system was mounted.
 */
import { type FileHandle, open, stat, statfs } from "node:fs/promises";
import { systemCode } from "../error.ts";

/** The types of file systems without modes, as statfs(2) on Linux returns them: FAT, exFAT, and NTFS with either of its drivers. */
const without: readonly number[] = [0x4d44, 0x2011bab0, 0x5346544e, 0x7366746e];
/** The type of all FUSE file systems, including exfat-fuse and ntfs-3g. Only a test shows whether a FUSE file system stores modes. */
const fuse = 0x65735546;

/** The functions with which `keepsModes` examines a file. */
export interface ModeProbe {
  /** Returns the type of the file system. */
  type(): Promise<number>;
  stat(): Promise<{ readonly mode: number; readonly uid: number }>;
  chmod(mode: number): Promise<void>;
}

/** Tells whether the file system of a file that is open to other users stores modes, so that the owner could protect the file. */
export async function keepsModes(file: ModeProbe): Promise<boolean> {
  const type = await file.type();
  if (without.includes(type)) return false;
  if (type !== fuse) return true;
  const { mode, uid } = await file.stat();
  // This process can't change the mode of another user's file, so the test would say nothing about the file system.
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

/** Returns the functions with which `keepsModes` examines an open file. @param path the file's path */
export function probeOf(handle: FileHandle, path: string): ModeProbe {
  return {
    type: async () => (await statfs(path)).type,
    stat: () => handle.stat(),
    chmod: (mode) => handle.chmod(mode),
  };
}

/**
 * Returns a warning if a folder is on a file system without modes, so that other users may read the secret keys in the folder;
 * else undefined. Returns undefined also if feedkey can't read the folder, because a later step then fails anyway.
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
  return `"${folder}" is on a file system that does not store file modes (FAT, exFAT): other users of this machine may read the secret keys there; mount it with umask=077`;
}
