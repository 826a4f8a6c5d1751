import { constants, unlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { givenBackAtExit } from "./cleanup-at-exit.ts";
import { folderWithin, syncFolder } from "./folder.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** A complete, synced temporary file beside its target, which a rename will replace. */
export interface StagedFile {
  /** The final name of the file. */
  readonly path: string;
  /** The name of the file until it is committed. */
  readonly temporary: string;
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface StageOptions {
  /** Exact permissions of the file; by default 0666 less the umask. */
  readonly mode?: number;
  /** Owner of the file; by default the user that writes. */
  readonly owner?: FileOwner;
}

interface StreamOptions extends StageOptions {
  /** The output folder that must really contain the target; missing folders below the output folder are made. */
  readonly within?: string;
}

/** For each temporary file, the function that cancels its removal at exit. */
const forgets = new Map<string, () => void>();

/** Has a temporary file removed if the program ends before the file gets its final name, for example after Ctrl-C. */
export function removeAtExit(temporary: string): void {
  const forget = givenBackAtExit(() => {
    try {
      unlinkSync(temporary);
    } catch {
      // The file already has its final name, or `removeLeftovers` removes the file later.
    }
  });
  forgets.set(temporary, forget);
}

/** Cancels the removal at exit of a file that is gone or has its final name. */
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
 * Removes staged files that will not be committed. Never fails, because it runs after another failure, which must be reported.
 * `removeLeftovers` later removes the files that could not be removed.
 */
export async function discard(staged: readonly StagedFile[]): Promise<void> {
  for (const { temporary } of staged) {
    await fs.unlink(temporary).catch(() => undefined);
    keepAtExit(temporary);
  }
}

/** Number of bytes that small pieces are collected up to, so that most packages need only one write. */
const writeBytes = 1024 * 1024;

/**
 * A file that is written piece by piece under a temporary name. Only `commit` gives the file its final name; any failure
 * removes the file. A symbolic link at the final name is replaced, never followed.
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
    // POSIX says that O_EXCL implies O_NOFOLLOW, but not every system does what POSIX says.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      const handle = await fs.open(temporary, flags, options.mode ?? 0o666);
      return new StagedStream(path, temporary, handle, options);
    } catch (error) {
      keepAtExit(temporary);
      throw outputError(error, path);
    }
  }

  /** Number of bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes a chunk, perhaps not at once.
   * @param chunk bytes that must not change until the file is finished
   * @throws FeedkeyError `output` if the write failed; the temporary file is then gone
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
    // writev avoids copying the pieces together. If the disk is nearly full, the system may write only a part.
    const { bytesWritten: first } = await this.#handle.writev(pieces);
    if (first === left) return;
    for (let rest = Buffer.concat(pieces).subarray(first); rest.length > 0; ) {
      const { bytesWritten } = await this.#handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }

  /**
   * Ends writing: the file is complete on the disk, still under its temporary name, for `commitStaged`.
   * @throws FeedkeyError `output` if the file can't be written; the temporary file is then gone
   */
  async finish(): Promise<StagedFile> {
    await this.#orDiscard(async () => {
      await this.#flush();
      // open() applied the umask, and chown clears set-user-ID bits; the mode must be exact.
      const { mode, owner } = this.#options;
      if (owner !== undefined) await this.#handle.chown(owner.uid, owner.gid);
      if (mode !== undefined) await this.#handle.chmod(mode);
      await this.#handle.sync();
      await this.#close();
    });
    return { path: this.path, temporary: this.temporary };
  }

  /**
   * Gives the file its final name, durably.
   * @param syncLater the caller syncs the folder once for many files; after a power failure before that sync, files may be
   *   missing, but no file is damaged
   * @throws FeedkeyError `output` if the file can't be written or renamed
   */
  async commit({ syncLater = false } = {}): Promise<void> {
    await moveIntoPlace(await this.finish());
    if (!syncLater) await syncFolder(dirname(this.path));
  }

  /** Removes the temporary file. The caller may call this again, and after a failure. */
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
 * Starts a file of unknown or large size, such as a package that is being downloaded.
 * @throws FeedkeyError `bad_path` if the target's folder lies outside `within`; `output` if the file can't be made
 */
export async function stageStream(path: string, options: StreamOptions = {}): Promise<StagedStream> {
  if (options.within === undefined) return StagedStream.open(path, options);
  // From here on only the real path is used, so a link that someone puts in its place later has no effect.
  const folder = await folderWithin(options.within, dirname(path));
  return StagedStream.open(join(folder, basename(path)), options);
}
