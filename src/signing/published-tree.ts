/**
 * Reads and writes everything in the published tree except package files. Others may be able to write to the tree. So this file
 * accesses only regular files inside the root, within a size limit, without blocking, and follows no link out of a folder.
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { discard, removeLeftovers, type StagedFile, stageFile } from "../files/atomic.ts";
import { TargetRoot } from "../files/target-root.ts";
import { maxIndexBytes } from "../formats/formats.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { limits } from "../openpgp/packet/limits.ts";

/** A file with its new contents. */
export interface PublishedFile {
  readonly name: string;
  readonly data: Data | string;
}

/** A snapshot of a folder: each file is read only once. */
export type FolderView = Pick<PublishedFolder, "path" | "read" | "readOnce" | "document" | "names">;

/** A folder in the tree. The folder need not exist yet. */
export class PublishedFolder {
  readonly #root: TargetRoot;
  readonly #name: string;

  constructor(root: TargetRoot, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** The absolute path below the root as the caller gave it, for messages. */
  get path(): string {
    return join(this.#root.folder, this.#name);
  }

  /**
   * Reads an index or a signature; returns undefined if the file does not exist. Follows a link to a file in the same folder,
   * because anyone who can make such a link could also write the file.
   * @param most size limit in bytes
   * @throws FeedkeyError `bad_path` unless the file is a regular file within the size limit; `output` if the file can't be read
   */
  async read(name: string, most?: number): Promise<Buffer | undefined> {
    const usual = /\.(sig|asc)$/.test(name) ? limits.signatureFileBytes : maxIndexBytes;
    return await this.#root.read(await this.#root.beside(join(this.#name, name)), most ?? usual);
  }

  /** Reads a file that the caller needs only once. No view keeps such a file in memory. @throws FeedkeyError as `read` */
  async readOnce(name: string): Promise<Buffer | undefined> {
    return await this.read(name);
  }

  /**
   * Hashes a file that may be too large for memory. The document reads the file again, piece by piece, on demand.
   * @returns undefined if the file does not exist
   * @throws FeedkeyError as `read`; the document's pieces throw `locked` if the file has changed since
   */
  async document(name: string): Promise<HashedDocument | undefined> {
    const found = await this.#root.content(await this.#root.beside(join(this.#name, name)), maxIndexBytes);
    return found && new HashedDocument(found, found.sha256);
  }

  /** Returns a new snapshot of the folder, which reads no file twice. */
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

  /** Returns the names in a subfolder; no name if the subfolder is missing. @throws FeedkeyError `bad_path`, `output` */
  async names(folder: string): Promise<readonly string[]> {
    const found = await this.#root.look(join(this.#name, folder));
    return found.kind === "folder" ? found.names : [];
  }

  /** @throws FeedkeyError `bad_path` if a name is not that of a regular file, or a folder in its path is not a folder */
  async refuseOdd(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.refuseOdd(join(this.#name, name));
  }

  /**
   * Makes this folder and the subfolders for the files. Removes leftovers of killed runs from these folders.
   * @throws FeedkeyError `bad_path`, `output`
   */
  async prepare(files: readonly PublishedFile[] = []): Promise<void> {
    for (const folder of this.#foldersOf(files)) {
      if (folder !== "") await this.#root.makeFolder(folder);
      await removeLeftovers(await this.#host(folder));
    }
  }

  /**
   * Writes files under temporary names, in the given order. If a file can't be written, no file stays. The folders must exist.
   * @throws FeedkeyError `bad_path`, `output`
   */
  async stage(files: readonly PublishedFile[]): Promise<StagedFile[]> {
    const staged: StagedFile[] = [];
    try {
      await this.refuseOdd(files.map(({ name }) => name));
      for (const { name, data } of files) {
        const path = await this.#root.hostPath(join(this.#name, name));
        staged.push(await stageFile(path, data, { mode: 0o644 }));
      }
      await this.assertInPlace(files);
    } catch (error) {
      await discard(staged);
      throw error;
    }
    return staged;
  }

  /** Call this before staged files get their final names. @throws FeedkeyError `bad_path` if a link has replaced a folder */
  async assertInPlace(files: readonly PublishedFile[] = []): Promise<void> {
    for (const folder of this.#foldersOf(files)) {
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

  /** Removes files in the given order. Ignores missing files. @throws FeedkeyError `bad_path`, `output` */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.remove(join(this.#name, name));
  }

  /** Returns the paths, below the root, of this folder and of the files' folders. */
  #foldersOf(files: readonly PublishedFile[]): Set<string> {
    const names = files.map(({ name }) => dirname(join(this.#name, name)));
    return new Set([this.#name, ...names.map((name) => (name === "." ? "" : name))]);
  }

  /** Returns the real path of a folder below the root. */
  async #host(folder: string): Promise<string> {
    return dirname(await this.#root.hostPath(join(folder, "x")));
  }
}

/** The tree below an archive's root. Links in the path of the root itself are allowed: the keeper chose this path. */
export class PublishedTree {
  readonly #root: TargetRoot;

  private constructor(root: TargetRoot) {
    this.#root = root;
  }

  /** @throws FeedkeyError `not_found` if the root folder does not exist */
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

  /** @param name path relative to the root; empty for the root itself */
  folder(name: string): PublishedFolder {
    return new PublishedFolder(this.#root, name);
  }
}
