import { constants, unlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { givenBackAtExit } from "./cleanup-at-exit.ts";
import { folderWithin, syncFolder } from "./folder.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

/** A complete, synced file beside its target, which a rename will replace. */
export interface StagedFile {
  /** The final name. */
  readonly path: string;
  /** The name it has until it is committed. */
  readonly temporary: string;
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface StageOptions {
  /** Exact permissions. Without it: 0666 less the umask. */
  readonly mode?: number;
  /** Its owner. Without it: the user that writes. */
  readonly owner?: FileOwner;
}

export interface StreamOptions extends StageOptions {
  /** The output folder that must really contain the target; missing folders below it are made. */
  readonly within?: string;
}

/** For each temporary file, the function that cancels its removal at exit. */
const forgets = new Map<string, () => void>();

/** Has a temporary file removed should the program end before it gets its final name: after Ctrl-C none is left. */
export function removeAtExit(temporary: string): void {
  const forget = givenBackAtExit(() => {
    try {
      unlinkSync(temporary);
    } catch {
      // It already has its final name, or `removeLeftovers` removes it later.
    }
  });
  forgets.set(temporary, forget);
}

/** The file is gone, or has its final name. */
export function keepAtExit(temporary: string): void {
  forgets.get(temporary)?.();
  forgets.delete(temporary);
}

/** Renames a staged file or link to its final name; removes it if that fails. */
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
 * Removes staged files that will not be committed. Never fails: it runs after another failure, which must be reported.
 * `removeLeftovers` later removes what is left.
 */
export async function discard(staged: readonly StagedFile[]): Promise<void> {
  for (const { temporary } of staged) {
    await fs.unlink(temporary).catch(() => undefined);
    keepAtExit(temporary);
  }
}

/** Small pieces are collected up to this many bytes, so that most packages need only one write. */
const writeBytes = 1024 * 1024;

/**
 * A file that is written piece by piece under a temporary name. It gets its final name only by `commit`; any
 * failure removes it. A symbolic link at the final name is replaced, never followed.
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
    // POSIX's O_EXCL implies O_NOFOLLOW; not every system follows it.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      const handle = await fs.open(temporary, flags, options.mode ?? 0o666);
      return new StagedStream(path, temporary, handle, options);
    } catch (error) {
      keepAtExit(temporary);
      throw outputError(error, path);
    }
  }

  /** Bytes taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param chunk must not change until the file is finished
   * @throws FeedkeyError `output`; the temporary file is gone then
   */
  async write(chunk: Uint8Array): Promise<void> {
    this.#pieces.push(chunk);
    this.#gathered += chunk.length;
    this.#bytes += chunk.length;
    if (this.#gathered >= writeBytes || !this.#open) await this.#orDiscard(() => this.#flush());
  }

  /** The same for a chunk that may change as soon as it is written. */
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
    // Without copying them together first. On a disk that is nearly full the system may take a part only.
    const { bytesWritten: first } = await this.#handle.writev(pieces);
    if (first === left) return;
    for (let rest = Buffer.concat(pieces).subarray(first); rest.length > 0; ) {
      const { bytesWritten } = await this.#handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }

  /**
   * Ends writing: the file is complete on the disk, still under its temporary name, for `commitStaged`.
   * @throws FeedkeyError `output`; the temporary file is gone then
   */
  async finish(): Promise<StagedFile> {
    await this.#orDiscard(async () => {
      await this.#flush();
      // open() applied the umask, and chown clears special bits; the mode must be exact.
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
   * @param syncLater the caller syncs the folder once for many files; after a power failure before that, files may be missing,
   * but none is damaged
   * @throws FeedkeyError `output`
   */
  async commit({ syncLater = false } = {}): Promise<void> {
    await moveIntoPlace(await this.finish());
    if (!syncLater) await syncFolder(dirname(this.path));
  }

  /** Removes the file. May be called again, and after a failure. */
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
 * Starts a file of unknown or large size, such as a package on its way from the network.
 * @throws FeedkeyError `bad_path` when the target's folder lies outside `within`; `output`
 */
export async function stageStream(path: string, options: StreamOptions = {}): Promise<StagedStream> {
  if (options.within === undefined) return StagedStream.open(path, options);
  // From here on only the real path is used, so a link put there later has no effect.
  const folder = await folderWithin(options.within, dirname(path));
  return StagedStream.open(join(folder, basename(path)), options);
}
