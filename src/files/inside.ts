/** Opens a file only if the file is really inside a folder, after all symbolic links are followed. */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { systemCode } from "../error.ts";
import { isWithin } from "./folder.ts";

/**
 * The open file, or the reason why there is none: `missing` if it does not exist or is not a regular file, `outside` if a
 * symbolic link leads out of the folder, `denied` if feedkey may not read it.
 */
type Opened = { readonly handle: FileHandle } | { readonly refused: "missing" | "outside" | "denied" };

const absent = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EISDIR", "ENXIO", "ENODEV"]);

/**
 * Opens a regular file below `root` for reading. Follows symbolic links that stay inside `root`. Checks after opening that the
 * path, with all links followed, is inside `root` and still leads to the opened file. So nobody can trick feedkey by changing a
 * link between check and opening.
 * @throws the system's error, unless the file is missing, unreadable or not a regular file
 */
export async function openInside(root: string, path: string): Promise<Opened> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer, perhaps for ever.
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
