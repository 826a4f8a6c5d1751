/** What lies in a folder, to be compared before and after. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";

/** Path below the folder to what is there: type, permissions, and the contents' digest or the link's target. */
export type Snapshot = Readonly<Record<string, string>>;

async function describe(path: string): Promise<string> {
  const stat = await fs.lstat(path);
  const mode = (stat.mode & 0o777).toString(8);
  if (stat.isSymbolicLink()) return `link to ${await fs.readlink(path)}`;
  if (stat.isDirectory()) return `folder ${mode}`;
  const digest = createHash("sha256")
    .update(await fs.readFile(path))
    .digest("hex");
  return `file ${mode} ${stat.size} ${digest}`;
}

/** Takes a snapshot of everything below some folders; a missing folder has nothing in it. */
export async function snapshot(...folders: readonly string[]): Promise<Snapshot> {
  const found: Record<string, string> = {};
  for (const folder of folders) {
    const names = await fs.readdir(folder, { recursive: true }).catch(() => [] as string[]);
    for (const name of names.sort()) found[join(folder, name)] = await describe(join(folder, name));
  }
  return found;
}

/** Names of plain files directly in a folder, without feedkey's temporary ones. */
export async function finalNames(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => !/^\.feedkey-.*\.tmp$/.test(name)).sort();
}

/** Temporary files that somebody left anywhere below a folder. */
export async function leftovers(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder, { recursive: true }).catch(() => [] as string[]);
  return names.filter((name) => /(^|\/)\.feedkey-[^/]*\.tmp$/.test(name));
}
