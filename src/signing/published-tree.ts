/**
 * Reads and writes everything in the published tree except package files. Other users may be able to write to the tree. So this module
 * accesses only regular files inside the root, and limits their size. The module never waits for a pipe or device, and follows no symbolic
 * link to another folder.
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { orDiscard, removeLeftovers, type StagedFile, stageFile } from "../files/atomic.ts";
import { TargetRoot } from "../files/target-root.ts";
import { maxIndexBytes } from "../formats/formats.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { limits } from "../openpgp/packet/limits.ts";

/** A file with its new contents. */
export interface PublishedFile {
  readonly name: string;
  readonly data: Data | string;
}

/** A view of a folder in the tree that reads each file only once, except with `readOnce`. */
export type FolderView = Pick<PublishedFolder, "path" | "read" | "readOnce" | "document" | "names">;

/** A folder in the tree. The folder need not exist yet. */
export class PublishedFolder {
  readonly #root: TargetRoot;
  readonly #name: string;

  constructor(root: TargetRoot, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** The folder's path for messages. The path begins with the root's path as the caller wrote the root. */
  get path(): string {
    return join(this.#root.folder, this.#name);
  }

  /**
   * Reads an index or a signature. Returns undefined if the file does not exist. Follows a symbolic link to a file in the same folder,
   * because anyone who can make the link could also replace the file.
   * @param most the size limit in bytes
   * @throws FeedkeyError `bad_path` unless the file is a regular file within the size limit; `output` if the file can't be read
   */
  async read(name: string, most?: number): Promise<Buffer | undefined> {
    const usual = /\.(sig|asc)$/.test(name) ? limits.signatureFileBytes : maxIndexBytes;
    return await this.#root.read(await this.#root.beside(join(this.#name, name)), most ?? usual);
  }

  /**
   * Reads a file that the caller needs only once. Unlike `read`, a view does not keep this file in memory.
   * @throws FeedkeyError as `read` does
   */
  async readOnce(name: string): Promise<Buffer | undefined> {
    return await this.read(name);
  }

  /**
   * Hashes a file that may be too large for memory. Each use of the returned document reads the file again, piece by piece.
   * @returns undefined if the file does not exist
   * @throws FeedkeyError as `read` does; the document throws `locked` if the file has changed since it was hashed
   */
  async document(name: string): Promise<HashedDocument | undefined> {
    const found = await this.#root.content(await this.#root.beside(join(this.#name, name)), maxIndexBytes);
    return found && new HashedDocument(found, found.sha256);
  }

  /** Returns a new view of the folder. The view reads no file twice, except with `readOnce`. */
  view(): FolderView {
    const once = <Found>(find: (name: string) => Promise<Found>) => {
      const found = new Map<string, Promise<Found>>();
      return (name: string) => {
        const one = found.get(name) ?? find(name);
        found.set(name, one);
        return one;
      };
    };
    const readOnce = (name: string) => this.readOnce(name);
    const [read, document] = [once((name) => this.read(name)), once((name) => this.document(name))];
    return { path: this.path, read, readOnce, document, names: (folder) => this.names(folder) };
  }

  /**
   * Returns the names in a subfolder; an empty list if the subfolder does not exist.
   * @throws FeedkeyError `bad_path` if the path contains a link; `output` if the subfolder can't be read
   */
  async names(folder: string): Promise<readonly string[]> {
    const found = await this.#root.look(join(this.#name, folder));
    return found.kind === "folder" ? found.names : [];
  }

  /**
   * Throws unless regular files with these names can be written.
   * @throws FeedkeyError `bad_path` if a name belongs to an entry that is not a regular file, or if a parent in its path is not a folder
   */
  async refuseOdd(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.refuseOdd(join(this.#name, name));
  }

  /**
   * Makes this folder and the subfolders for the files. Removes temporary files that killed runs left in these folders.
   * @throws FeedkeyError `bad_path` if an entry with a folder's name is not a folder; `output` if a folder can't be made
   */
  async prepare(files: readonly PublishedFile[] = []): Promise<void> {
    const names = files.map(({ name }) => name);
    for (const folder of this.#foldersOf(names)) if (folder !== "") await this.#root.makeFolder(folder);
    await this.removeLeftovers(names);
  }

  /**
   * Removes temporary files that killed runs left in this folder and in the subfolders of the given files. The caller must have the
   * archive's lock.
   * @throws FeedkeyError `bad_path` if a link leads out of the tree; `output` if a file can't be removed
   */
  async removeLeftovers(names: Iterable<string>): Promise<void> {
    for (const folder of this.#foldersOf(names)) await removeLeftovers(await this.#host(folder));
  }

  /**
   * Writes files under temporary names, in the given order. If a file can't be written, removes all of the temporary files. The folders
   * must exist.
   * @throws FeedkeyError `bad_path` if an entry in the tree prevents a file from being written; `output` if a file can't be written
   */
  async stage(files: readonly PublishedFile[]): Promise<StagedFile[]> {
    const staged: StagedFile[] = [];
    await orDiscard(staged, async () => {
      await this.refuseOdd(files.map(({ name }) => name));
      for (const { name, data } of files) {
        const path = await this.#root.hostPath(join(this.#name, name));
        staged.push(await stageFile(path, data, { mode: 0o644 }));
      }
      await this.assertInPlace(files);
    });
    return staged;
  }

  /**
   * Checks the folders of the files. Callers must check the folders before they give staged files their final names.
   * @throws FeedkeyError `bad_path` if a link has replaced a folder
   */
  async assertInPlace(files: readonly PublishedFile[] = []): Promise<void> {
    for (const folder of this.#foldersOf(files.map(({ name }) => name))) {
      const here = await this.#host(folder);
      const real = await fs.realpath(here).catch(() => undefined);
      if (real === here) continue;
      const path = join(this.#root.folder, folder);
      throw new FeedkeyError("bad_path", `${escapeText(path)} was moved while feedkey was writing to it`, {
        details: { path },
        hint: "find out who else writes to the published tree, and run the command again",
      });
    }
  }

  /**
   * Removes files in the given order. Ignores missing files.
   * @throws FeedkeyError `bad_path` or `output` if a file can't be removed
   */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.remove(join(this.#name, name));
  }

  /** Returns the paths of this folder and of the files' folders, relative to the root. */
  #foldersOf(names: Iterable<string>): Set<string> {
    const folders = Array.from(names, (name) => dirname(join(this.#name, name)));
    return new Set([this.#name, ...folders.map((folder) => (folder === "." ? "" : folder))]);
  }

  /** Returns the real path of a folder below the root. Resolves links in the root's path. */
  async #host(folder: string): Promise<string> {
    return dirname(await this.#root.hostPath(join(folder, "x")));
  }
}

/** The tree below an archive's root. The path of the root may contain symbolic links, because the keeper chose this path. */
export class PublishedTree {
  readonly #root: TargetRoot;

  private constructor(root: TargetRoot) {
    this.#root = root;
  }

  /**
   * Opens the tree below a root.
   * @throws FeedkeyError `not_found` if the root folder does not exist
   */
  static async open(root: string): Promise<PublishedTree> {
    try {
      return new PublishedTree(await TargetRoot.open(root, "none"));
    } catch (cause) {
      if (!(cause instanceof FeedkeyError) || cause.code !== "not_found") throw cause;
      throw new FeedkeyError("not_found", `there is no archive folder ${escapeText(root)}`, {
        cause,
        details: { path: root },
      });
    }
  }

  /**
   * Returns a folder in the tree.
   * @param name the path relative to the root; empty for the root itself
   */
  folder(name: string): PublishedFolder {
    return new PublishedFolder(this.#root, name);
  }
}
