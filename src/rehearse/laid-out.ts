/** A repository for programs that also read its lists of packages: the copy's signed files, and links to everything else. */
import { readdir, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { ensureFolder } from "../files/folder.ts";
import type { Target } from "./stock-client.ts";

/**
 * Makes a feed's repository again in the same place, so that a client recognises it.
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
