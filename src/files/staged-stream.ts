import { constants, unlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { givenBackAtExit } from "./cleanup-at-exit.ts";
import { folderWithin, syncFolder } from "./folder.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** A complete and synced temporary file, in the folder of its final name. A rename gives the file this name. */
export interface StagedFile {
  /** The path of the file after the rename. */
  readonly path: string;
  /** The path of the temporary file. */
  readonly temporary: string;
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface StageOptions {
  /** The exact mode of the file; by default 0666 without the bits in the umask. */
  readonly mode?: number;
  /** The owner of the file; by default this user. */
  readonly owner?: FileOwner;
}

interface StreamOptions extends StageOptions {
  /**
   * The output folder that must contain the target after symbolic links are followed. feedkey makes missing folders below the
   * output folder.
   */
  readonly within?: string;
}

/** The functions that cancel the removal of temporary files at exit, by the files' paths. */
const forgets = new Map<string, () => void>();

/**
 * Arranges the removal of a temporary file in case the program ends before the file gets its final name, for example after Ctrl-C.
 */
export function removeAtExit(temporary: string): void {
  const forget = givenBackAtExit(() => {
    try {
      unlinkSync(temporary);
    } catch {
      // Either the file already has its final name, or `removeLeftovers` removes the file in a later run.
    }
  });
  forgets.set(temporary, forget);
}

/** Cancels the removal at exit, because the temporary file is gone or has its final name. */
export function keepAtExit(temporary: string): void {
  forgets.get(temporary)?.();
  forgets.delete(temporary);
}

/** Renames a staged file or link to its final name; removes the temporary file if the rename fails. */
export async function moveIntoPlace(file: StagedFile): Promise<void> {
  try {
    await fs.rename(file.temporary, file.path);
    keepAtExit(file.temporary);
  } catch (error) {
    await discard([file]);
    throw outputError(error, file.path);
  }
}

/**
 * Removes staged files that will not get their final names. Never throws, because it usually runs after another failure, which
 * must be reported. A later run removes the files that this function could not remove (`removeLeftovers`).
 */
export async function discard(staged: readonly StagedFile[]): Promise<void> {
  for (const { temporary } of staged) {
    await fs.unlink(temporary).catch(() => undefined);
    keepAtExit(temporary);
  }
}

/** Runs an action. If the action fails, removes the staged files. */
export async function orDiscard<T>(staged: readonly StagedFile[], action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    await discard(staged);
    throw error;
  }
}

/** Number of bytes from which collected pieces are written, so that most packages need only one write. */
const writeBytes = 1024 * 1024;

/**
 * A file that feedkey writes piece by piece under a temporary name. Only `commit` gives the file its final name. Any failure
 * removes the temporary file. If there is a symbolic link at the final name, `commit` replaces the link and does not follow it.
 */
export class StagedStream implements StagedFile {
  readonly path: string;
  readonly temporary: string;
  readonly #handle: fs.FileHandle;
  readonly #options: StageOptions;
  #pieces: Uint8Array[] = [];
  #gathered = 0;
  #bytes = 0;
  #open = true;

  private constructor(path: string, temporary: string, handle: fs.FileHandle, options: StageOptions) {
    this.path = path;
    this.temporary = temporary;
    this.#handle = handle;
    this.#options = options;
  }

  static async open(path: string, options: StageOptions = {}): Promise<StagedStream> {
    const temporary = join(dirname(path), temporaryName());
    removeAtExit(temporary);
    // By POSIX, O_EXCL implies O_NOFOLLOW, but not every system does what POSIX requires.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      const handle = await fs.open(temporary, flags, options.mode ?? 0o666);
      return new StagedStream(path, temporary, handle, options);
    } catch (error) {
      keepAtExit(temporary);
      throw outputError(error, path);
    }
  }

  /** The number of bytes that the caller has written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes a chunk, perhaps only together with later chunks.
   * @param chunk the bytes, which the caller must not change until the file is finished
   * @throws FeedkeyError `output` if feedkey can't write; the temporary file is then gone
   */
  async write(chunk: Uint8Array): Promise<void> {
    this.#pieces.push(chunk);
    this.#gathered += chunk.length;
    this.#bytes += chunk.length;
    if (this.#gathered >= writeBytes || !this.#open) await this.#orDiscard(() => this.#flush());
  }

  /** Writes a chunk at once, so that the caller may change the chunk afterwards. */
  async writeNow(chunk: Uint8Array): Promise<void> {
    await this.write(chunk);
    await this.#orDiscard(() => this.#flush());
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    const left = this.#gathered;
    this.#gathered = 0;
    if (left === 0) return;
    // writev writes all pieces without copying them together. If the disk is nearly full, the system may write only a part of
    // them.
    const { bytesWritten: first } = await this.#handle.writev(pieces);
    if (first === left) return;
    for (let rest = Buffer.concat(pieces).subarray(first); rest.length > 0; ) {
      const { bytesWritten } = await this.#handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }

  /**
   * Ends writing. Afterwards the complete file is on the disk under its temporary name, ready for `commitStaged`.
   * @throws FeedkeyError `output` if the file can't be written; the temporary file is then gone
   */
  async finish(): Promise<StagedFile> {
    await this.#orDiscard(async () => {
      await this.#flush();
      // The mode must be exact, but open() applies the umask, and chown clears set-user-ID bits. So chmod comes last.
      const { mode, owner } = this.#options;
      if (owner !== undefined) await this.#handle.chown(owner.uid, owner.gid);
      if (mode !== undefined) await this.#handle.chmod(mode);
      await this.#handle.sync();
      await this.#close();
    });
    return { path: this.path, temporary: this.temporary };
  }

  /**
   * Gives the file its final name, and syncs the folder.
   * @param syncLater whether the caller syncs the folder later, once for many files. After a power failure before this sync,
   *   files may be missing, but no file is damaged
   * @throws FeedkeyError `output` if the file can't be written or renamed
   */
  async commit({ syncLater = false } = {}): Promise<void> {
    await moveIntoPlace(await this.finish());
    if (!syncLater) await syncFolder(dirname(this.path));
  }

  /** Removes the temporary file. Callers may call this method several times, and after a failure. */
  async discard(): Promise<void> {
    await this.#close().catch(() => undefined);
    await discard([this]);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }

  async #orDiscard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.discard();
      throw outputError(error, this.path);
    }
  }
}

/**
 * Starts to write a file of large or unknown size, such as a package download.
 * @throws FeedkeyError `bad_path` if the target's folder is outside `within`; `output` if feedkey can't make the file
 */
export async function stageStream(path: string, options: StreamOptions = {}): Promise<StagedStream> {
  if (options.within === undefined) return StagedStream.open(path, options);
  // From here on, feedkey uses the folder's real path: a symbolic link that somebody later puts in its place has no effect.
  const folder = await folderWithin(options.within, dirname(path));
  return StagedStream.open(join(folder, basename(path)), options);
}
