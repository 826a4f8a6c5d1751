/**
 * Reads and writes files below the root of a system: of the running system or of one that is being installed. Names are paths
 * relative to the root, without a leading slash. feedkey refuses symbolic links out of the root: otherwise the maker of the
 * tree could choose which files of the running system feedkey writes.
 */
import * as fs from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { FeedkeyError, systemCode, unlessMissing } from "../error.ts";
import { escapeText } from "../escape.ts";
import { removeLeftovers, replaceLink, writeFileAtomic } from "./atomic.ts";
import { isWithin, syncFolder } from "./folder.ts";
import { HashedFile } from "./hashed-file.ts";
import { kindOf, type NotPlain, notExpected, readPlainFile } from "./plain-file.ts";
import type { FileOwner } from "./staged-stream.ts";
import { causeInWords, outputError } from "./system-error.ts";

/** What exists at a name: nothing, a regular file, a symbolic link (not followed), a folder, or something else. */
export type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly bytes: Buffer; readonly mode: number; readonly owner: FileOwner }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder"; readonly names: readonly string[] }
  | { readonly kind: "other" };

/** Which symbolic links feedkey follows: those that stay inside the root, or none. */
type LinkPolicy = "inside" | "none";

export class TargetRoot {
  /** The absolute path of the root as the user gave it, for messages. */
  readonly folder: string;
  readonly #real: string;
  readonly #links: LinkPolicy;

  private constructor(folder: string, real: string, links: LinkPolicy) {
    this.folder = folder;
    this.#real = real;
    this.#links = links;
  }

  /**
   * Opens the root of a system.
   * @param links which symbolic links below the root to follow; feedkey always follows links in the path of the root itself
   * @throws FeedkeyError `not_found` if the folder does not exist; feedkey does not make the folder, because its name may be mistyped
   */
  static async open(folder: string, links: LinkPolicy = "inside"): Promise<TargetRoot> {
    const path = resolve(folder);
    try {
      const real = await fs.realpath(path);
      if ((await fs.stat(real)).isDirectory()) return new TargetRoot(path, real, links);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
    throw new FeedkeyError("not_found", `the root folder ${path} does not exist, or is not a folder`, {
      details: { root: path },
    });
  }

  /** Whether the root is the root of the running system. */
  get isOurs(): boolean {
    return this.#real === sep;
  }

  /** Tells what exists at a name. @throws FeedkeyError `bad_path` if a link leads out of the root; `output` if the system refuses */
  async look(name: string): Promise<Found> {
    const path = await this.hostPath(name);
    return (await unlessMissing(lookAt(path), (error) => outputError(error, path))) ?? { kind: "absent" };
  }

  /** Whether anything exists at a name. Follows symbolic links that stay inside the root. */
  async exists(name: string): Promise<boolean> {
    return (await this.#realPath(name)) !== undefined;
  }

  /** Returns the text of a file; undefined if feedkey can't read the file. Follows symbolic links that stay inside the root. */
  async text(name: string): Promise<string | undefined> {
    try {
      const path = await this.#realPath(name);
      const found = path === undefined ? undefined : readPlain(path);
      return found?.kind === "file" ? found.bytes.toString("utf8") : undefined;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /** Returns the path of a name on the running system. @throws FeedkeyError `bad_path` if a link leads out of the root */
  async hostPath(name: string): Promise<string> {
    const folders = parts(name);
    const last = folders.pop() ?? "";
    let current = this.#real;
    for (const [at, part] of folders.entries()) {
      const next = await this.#enter(join(current, part), name);
      if (next === undefined) return join(current, folders.slice(at).join("/"), last);
      current = next;
    }
    return join(current, last);
  }

  /** Returns the missing folders in a name's path, the highest first. @throws FeedkeyError `bad_path` */
  async missingFolders(name: string): Promise<string[]> {
    const folders = parts(name).slice(0, -1);
    const missing: string[] = [];
    for (const [at] of folders.entries()) {
      const folder = folders.slice(0, at + 1).join("/");
      if ((await this.look(folder)).kind === "absent") missing.push(folder);
    }
    return missing;
  }

  /** Makes a folder and its missing parents, which every user can read. @throws FeedkeyError `bad_path`, `output` */
  async makeFolder(name: string): Promise<void> {
    for (const folder of await this.missingFolders(`${name}/x`)) {
      const path = await this.hostPath(folder);
      try {
        await fs.mkdir(path);
        // mkdir applies the umask, but programs of other users must be able to read the folder.
        await fs.chmod(path, 0o755);
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw outputError(error, path);
      }
      await syncFolder(dirname(path));
    }
    // This call throws if the last folder is really a file, or a link out of the root.
    await this.hostPath(`${name}/x`);
  }

  /** Writes a whole file, and makes its missing folders. @throws FeedkeyError `bad_path`, `output` */
  async write(name: string, data: Uint8Array, mode = 0o644, owner?: FileOwner): Promise<void> {
    await this.makeFolder(dirname(name));
    await writeFileAtomic(await this.hostPath(name), data, { mode, ...(owner === undefined ? {} : { owner }) });
  }

  /** Makes a symbolic link, and its missing folders. @throws FeedkeyError `bad_path`, `output` */
  async link(name: string, target: string): Promise<void> {
    await this.makeFolder(dirname(name));
    await replaceLink(await this.hostPath(name), target);
  }

  /** Removes a file or link, if it exists. @throws FeedkeyError `bad_path`, `output` */
  async remove(name: string): Promise<void> {
    const path = await this.hostPath(name);
    const removed = fs.unlink(path).then(() => syncFolder(dirname(path)));
    await unlessMissing(removed, (error) => outputError(error, path));
  }

  /** Removes a folder if it is empty. @returns whether the folder is gone */
  async removeIfEmpty(name: string): Promise<boolean> {
    const path = await this.hostPath(name);
    try {
      await fs.rmdir(path);
    } catch (error) {
      return systemCode(error) === "ENOENT";
    }
    await syncFolder(dirname(path));
    return true;
  }

  /** Removes temporary files that killed runs left in a folder. @throws FeedkeyError `bad_path`, `output` */
  async removeLeftovers(name: string): Promise<void> {
    if ((await this.look(name)).kind === "folder") await removeLeftovers(await this.hostPath(name));
  }

  /**
   * Refuses symbolic links out of the root at any depth below a folder. Callers use this before another program writes to the folder.
   * @throws FeedkeyError `bad_path` if a link leads out of the root
   */
  async refuseLinksOut(name: string): Promise<void> {
    const found = await this.look(name);
    if (found.kind === "link") {
      if (!(await this.exists(name))) throw this.#leadsOut(name);
    }
    if (found.kind !== "folder") return;
    for (const below of found.names) await this.refuseLinksOut(`${name}/${below}`);
  }

  async #realPath(name: string): Promise<string | undefined> {
    const real = await fs.realpath(join(this.#real, parts(name).join("/"))).catch(() => undefined);
    return real !== undefined && this.#holds(real) ? real : undefined;
  }

  /** Returns the real path of one folder in the path of a name; undefined if the folder is missing. */
  async #enter(path: string, name: string): Promise<string | undefined> {
    const stat = await unlessMissing(fs.lstat(path), (error) => outputError(error, path));
    if (stat === undefined) return undefined;
    if (stat.isDirectory()) return path;
    if (this.#links === "none") throw notExpected(this.#shown(path), kindOf(stat), "a folder");
    if (!stat.isSymbolicLink()) throw outputError(Object.assign(new Error("not a folder"), { code: "ENOTDIR" }), path);
    const real = await fs.realpath(path).catch(() => undefined);
    if (real === undefined || !this.#holds(real)) throw this.#leadsOut(name, path);
    return real;
  }

  /**
   * Returns the bytes of a regular file; undefined if the file is missing.
   * @throws FeedkeyError `bad_path` if it is not a regular file, is behind a link that feedkey does not follow, or is too
   *   large; `output` if feedkey can't read it
   */
  async read(name: string, most: number): Promise<Buffer | undefined> {
    return (await this.#found(name, async (path) => readPlainFile(path, most)))?.bytes;
  }

  /** Hashes a regular file without keeping its bytes in memory. @throws FeedkeyError as {@link read} does */
  async content(name: string, most: number): Promise<HashedFile | undefined> {
    return await this.#found(name, async (path) => HashedFile.read(path, most));
  }

  async #found<Read extends object>(
    name: string,
    readAt: (path: string) => Promise<Read | NotPlain>,
  ): Promise<Read | undefined> {
    const path = await this.hostPath(name);
    try {
      const read = await readAt(path);
      if ("problem" in read) throw notExpected(this.#shown(path), read.problem, "a plain file");
      // The name must still lead to the opened file: somebody may have replaced a folder in its path by a link.
      if ((await fs.realpath(path)) === path) return read;
      throw notExpected(this.#shown(path), "was moved while it was read", "a plain file");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      if (systemCode(error) === undefined) throw error;
      throw new FeedkeyError("output", `${escapeText(this.#shown(path))} can't be read: ${causeInWords(error)}`, {
        cause: error,
        details: { path: this.#shown(path) },
      });
    }
  }

  /** Returns the target if the name is a link to a file in the same folder, as repo-add makes them; else the name itself. */
  async beside(name: string): Promise<string> {
    const target = await fs.readlink(await this.hostPath(name)).catch(() => undefined);
    if (target === undefined || target === ".." || target === "." || target.includes("/")) return name;
    return join(dirname(name), target);
  }

  /**
   * Refuses a name to which feedkey can't safely write. Allowed are a missing or regular file, and a link to such a file in the
   * same folder.
   * @throws FeedkeyError `bad_path` if the name is something else
   */
  async refuseOdd(name: string): Promise<void> {
    const path = await this.hostPath(await this.beside(name));
    const stat = await unlessMissing(fs.lstat(path), (error) => outputError(error, path));
    if (stat !== undefined && !stat.isFile()) throw notExpected(this.#shown(path), kindOf(stat), "a plain file");
  }

  /** Returns a path below the root as the user would write it, with the root's path as the user gave it. */
  #shown(path: string): string {
    return join(this.folder, relative(this.#real, path));
  }

  #holds(real: string): boolean {
    return isWithin(this.#real, real);
  }

  #leadsOut(name: string, link = join(this.#real, name)): FeedkeyError {
    const where = relative(this.#real, link);
    return new FeedkeyError(
      "bad_path",
      `/${name} would be written outside of the root: ${where} is a symbolic link that leads out of it`,
      {
        details: { root: this.folder, path: `/${name}`, link: `/${where}` },
        hint: "an absolute link can be followed only inside that system: run setup there, or make the link relative",
      },
    );
  }
}

/** Splits a name at slashes. @throws FeedkeyError `bad_path` if the name is not plain: it may come from a record on the disk */
function parts(name: string): string[] {
  const found = name.split("/");
  const plain = found.every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
  if (plain && basename(name) !== "") return found;
  throw new FeedkeyError("bad_path", `"${name}" is not a plain path below a root`, { details: { path: name } });
}

/** Size limit for a file in bytes, far larger than any configuration file or keyring that feedkey writes. */
const maxBytes = 16 * 1024 * 1024;

async function lookAt(path: string): Promise<Found> {
  const stat = await fs.lstat(path);
  if (stat.isSymbolicLink()) return { kind: "link", target: await fs.readlink(path) };
  if (stat.isDirectory()) return { kind: "folder", names: (await fs.readdir(path)).sort() };
  return stat.isFile() ? readPlain(path) : { kind: "other" };
}

function readPlain(path: string): Found {
  const read = readPlainFile(path, maxBytes);
  return "bytes" in read ? { kind: "file", ...read } : { kind: "other" };
}
