/**
 * Files below the root of a system. The system may be the running one or one that is being installed. Names are relative to the
 * root, without a leading slash. No symbolic link may lead out of the root: otherwise whoever made the tree could choose which
 * files of the running system feedkey writes.
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

/** What exists at a name; a symbolic link there is not followed. */
export type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly bytes: Buffer; readonly mode: number; readonly owner: FileOwner }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder"; readonly names: readonly string[] }
  | { readonly kind: "other" };

/** Which symbolic links are followed: those that stay inside the root, or none. */
type LinkPolicy = "inside" | "none";

export class TargetRoot {
  /** The root's path as given, made absolute, for messages. */
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
   * @param links how to treat links in paths below the root; links in the path of the root itself are followed
   * @throws FeedkeyError `not_found` if there is no such folder: a misspelt root must not become a new folder
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

  /** Examines a name. @throws FeedkeyError `bad_path` if a link leads out of the root; `output` if the system refuses */
  async look(name: string): Promise<Found> {
    const path = await this.hostPath(name);
    return (await unlessMissing(lookAt(path), (error) => outputError(error, path))) ?? { kind: "absent" };
  }

  /** Whether anything exists at a name, following links within the root. */
  async exists(name: string): Promise<boolean> {
    return (await this.#realPath(name)) !== undefined;
  }

  /** Returns the text of a file, following links within the root; undefined if the file can't be read. */
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

  /** Returns a name's path on the running system. @throws FeedkeyError `bad_path` if a link leads out of the root */
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

  /** Makes a folder and its missing parents, readable for everybody. @throws FeedkeyError `bad_path`, `output` */
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
    // Throws if a link out of the root, or a file, is in the place of the last folder.
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
   * Refuses symbolic links out of the root at any depth below a folder, before other code writes in the folder.
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

  /** Returns the real path of a folder on the way to a name; undefined if the folder is missing. */
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
   * Returns the bytes of a plain file; undefined if the file is missing.
   * @throws FeedkeyError `bad_path` if the name is not a plain file, is behind a link that must not be followed, or is larger
   *   than allowed; `output` if the file can't be read
   */
  async read(name: string, most: number): Promise<Buffer | undefined> {
    return (await this.#found(name, async (path) => readPlainFile(path, most)))?.bytes;
  }

  /** Hashes a plain file without keeping its bytes in memory. @throws FeedkeyError as {@link read} */
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
      // The opened file must be the one that the name leads to now: a folder in its path may have become a link meanwhile.
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

  /** Returns the target if a name is a link to a file in its own folder, as repo-add makes links; else the name itself. */
  async beside(name: string): Promise<string> {
    const target = await fs.readlink(await this.hostPath(name)).catch(() => undefined);
    if (target === undefined || target === ".." || target === "." || target.includes("/")) return name;
    return join(dirname(name), target);
  }

  /**
   * Refuses a name that is going to be written, unless it is free, a plain file, or a link to a plain file in its own folder.
   * @throws FeedkeyError `bad_path` if the name is something else
   */
  async refuseOdd(name: string): Promise<void> {
    const path = await this.hostPath(await this.beside(name));
    const stat = await unlessMissing(fs.lstat(path), (error) => outputError(error, path));
    if (stat !== undefined && !stat.isFile()) throw notExpected(this.#shown(path), kindOf(stat), "a plain file");
  }

  /** Returns a path below the root as the user knows it: with the root's path as given. */
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

/** Splits a name at slashes. @throws FeedkeyError `bad_path` if it is not plain: some names come from records on the disk */
function parts(name: string): string[] {
  const found = name.split("/");
  const plain = found.every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
  if (plain && basename(name) !== "") return found;
  throw new FeedkeyError("bad_path", `"${name}" is not a plain path below a root`, { details: { path: name } });
}

/** Size limit in bytes, far larger than any configuration file or keyring that feedkey writes. */
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
