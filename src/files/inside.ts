/** Opens a file that must really be inside a folder, even if symbolic links lead elsewhere. */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { systemCode } from "../error.ts";
import { isWithin } from "./folder.ts";

/**
 * `missing`: the file is missing or not a regular file. `outside`: a link leads out of the folder. `denied`: the file can't be
 * read.
 */
type Opened = { readonly handle: FileHandle } | { readonly refused: "missing" | "outside" | "denied" };

const absent = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EISDIR", "ENXIO", "ENODEV"]);

/**
 * Opens a regular file below `root` for reading. Symbolic links are followed as long as they stay inside `root`. The check is
 * made on the opened file, so that changing a link meanwhile is useless: the file that the name leads to *now*, inside the
 * root, must be the very file that was opened.
 * @throws the system's errors, except for a missing, unreadable or irregular file
 */
export async function openInside(root: string, path: string): Promise<Opened> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO would wait for a writer forever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (absent.has(code)) return { refused: "missing" };
    if (code === "EACCES" || code === "EPERM") return { refused: "denied" };
    throw error;
  }
  try {
    const refused = await judge(root, path, handle);
    if (refused === undefined) return { handle };
    await handle.close();
    return { refused };
  } catch (error) {
    await handle.close();
    if (absent.has(systemCode(error) ?? "")) return { refused: "missing" };
    throw error;
  }
}

async function judge(root: string, path: string, handle: FileHandle): Promise<"missing" | "outside" | undefined> {
  const [top, real] = await Promise.all([realpath(root), realpath(path)]);
  const [now, opened] = await Promise.all([lstat(real, { bigint: true }), handle.stat({ bigint: true })]);
  if (real === top || !isWithin(top, real)) return "outside";
  if (now.ino !== opened.ino || now.dev !== opened.dev) return "missing";
  return opened.isFile() ? undefined : "missing";
}
