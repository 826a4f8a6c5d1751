/**
 * Makes a repository for programs that also read package lists: the signed files are from the copy, all other files from the archive
 * itself.
 */
import { readdir, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { ensureFolder } from "../files/folder.ts";
import type { Target } from "./stock-client.ts";

/**
 * Makes a feed's repository from symbolic links, at the same path each time, so that a client recognises the repository.
 * @returns the repository's folder
 */
export async function laidOut({ folder, published }: Target, repository: string): Promise<string> {
  await rm(repository, { recursive: true, force: true });
  const place = join(repository, basename(folder));
  await ensureFolder(place, 0o700);
  const copied = await readdir(folder);
  for (const name of copied) await symlink(join(folder, name), join(place, name));
  for (const name of await readdir(published)) {
    if (!copied.includes(name)) await symlink(join(published, name), join(place, name));
  }
  return repository;
}
