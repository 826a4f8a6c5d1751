/** Whether a file system keeps the modes of files. FAT and exFAT, as on sticks, do not: modes are set when it is mounted. */
import { type FileHandle, open, stat, statfs } from "node:fs/promises";
import { systemCode } from "../error.ts";

/** File system types of statfs(2) on Linux: FAT, exFAT, and NTFS with its two drivers. */
const without: readonly number[] = [0x4d44, 0x2011bab0, 0x5346544e, 0x7366746e];
/** Any FUSE file system, such as exfat-fuse and ntfs-3g: only a test shows whether it has modes. */
const fuse = 0x65735546;

/** What `keepsModes` needs to know about a file. */
export interface ModeProbe {
  /** The type of the file system. */
  type(): Promise<number>;
  stat(): Promise<{ readonly mode: number; readonly uid: number }>;
  chmod(mode: number): Promise<void>;
}

/** Whether the owner of a file that is open to others could change its mode. */
export async function keepsModes(file: ModeProbe): Promise<boolean> {
  const type = await file.type();
  if (without.includes(type)) return false;
  if (type !== fuse) return true;
  const { mode, uid } = await file.stat();
  // We can't change the mode of another user's file, so it shows nothing about the file system.
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

/** A probe of an open file. @param path where it is */
export function probeOf(handle: FileHandle, path: string): ModeProbe {
  return {
    type: async () => (await statfs(path)).type,
    stat: () => handle.stat(),
    chmod: (mode) => handle.chmod(mode),
  };
}

/**
 * A warning about secret keys in a folder on a file system without modes, else undefined. A folder that can't be read gives
 * no warning here; reading from it fails later.
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
