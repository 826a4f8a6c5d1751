/**
 * The published tree, to which others may be able to write. Everything in it except package files is read and written here:
 * only plain files inside the root, never through a link out of their folder, without blocking, and within a size limit.
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

/** A folder of the tree. It need not exist yet. */
export class PublishedFolder {
  readonly #root: TargetRoot;
  readonly #name: string;

  constructor(root: TargetRoot, name: string) {
    this.#root = root;
    this.#name = name;
  }

  /** The absolute path, based on the given root, for messages. */
  get path(): string {
    return join(this.#root.folder, this.#name);
  }

  /**
   * An index or a signature; undefined if there is none. A link to a file in the same folder is followed, because anyone who
   * can make the link could also write the file.
   * @throws FeedkeyError `bad_path` for anything but a plain file of limited size, `output` if it can't be read
   */
  async read(name: string, most?: number): Promise<Buffer | undefined> {
    const usual = /\.(sig|asc)$/.test(name) ? limits.signatureFileBytes : maxIndexBytes;
    return await this.#root.read(await this.#root.beside(join(this.#name, name)), most ?? usual);
  }

  /** A file that is read only once, so it is not kept in memory. @throws FeedkeyError as `read` */
  async readOnce(name: string): Promise<Buffer | undefined> {
    return await this.read(name);
  }

  /**
   * The same for a file that may be too large for memory: it is hashed, and read again piece by piece where that is wanted.
   * @throws FeedkeyError as `read`; its pieces throw `locked` for a file that has changed since
   */
  async document(name: string): Promise<HashedDocument | undefined> {
    const found = await this.#root.content(await this.#root.beside(join(this.#name, name)), maxIndexBytes);
    return found && new HashedDocument(found, found.sha256);
  }

  /** A new snapshot of the folder: no file is read twice. */
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

  /** The names in a folder below it; empty if it is missing. @throws FeedkeyError `bad_path`, `output` */
  async names(folder: string): Promise<readonly string[]> {
    const found = await this.#root.look(join(this.#name, folder));
    return found.kind === "folder" ? found.names : [];
  }

  /** @throws FeedkeyError `bad_path`: one of these files, or a folder in its path, is something else */
  async refuseOdd(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.refuseOdd(join(this.#name, name));
  }

  /**
   * Makes the folder and the subfolders of the files, and removes leftovers of killed runs there.
   * @throws FeedkeyError `bad_path`, `output`
   */
  async prepare(files: readonly PublishedFile[] = []): Promise<void> {
    for (const folder of this.#foldersOf(files)) {
      if (folder !== "") await this.#root.makeFolder(folder);
      await removeLeftovers(await this.#host(folder));
    }
  }

  /**
   * Files under temporary names, in their order; if one can't be made, none is left. Their folders must exist.
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

  /** Call this before staged files get their names. @throws FeedkeyError `bad_path`: a link has replaced a folder of theirs */
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

  /** Removes files in the given order; missing ones are ignored. @throws FeedkeyError `bad_path`, `output` */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#root.remove(join(this.#name, name));
  }

  /** Below the root: its own, and those of the files. */
  #foldersOf(files: readonly PublishedFile[]): Set<string> {
    const names = files.map(({ name }) => dirname(join(this.#name, name)));
    return new Set([this.#name, ...names.map((name) => (name === "." ? "" : name))]);
  }

  /** The real path of a folder below the root. */
  async #host(folder: string): Promise<string> {
    return dirname(await this.#root.hostPath(join(folder, "x")));
  }
}

/** The tree below an archive's root. Links in the path of the root itself are the keeper's own. */
export class PublishedTree {
  readonly #root: TargetRoot;

  private constructor(root: TargetRoot) {
    this.#root = root;
  }

  /** @throws FeedkeyError `not_found`: there is no such folder */
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

  /** @param name relative to the root; empty for the root itself */
  folder(name: string): PublishedFolder {
    return new PublishedFolder(this.#root, name);
  }
}
