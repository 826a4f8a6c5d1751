/**
 * A folder of verified packages that several runs and processes share. Each file has its SHA-256 as its name, and feedkey
 * verifies this digest when it reads the file. So feedkey notices if somebody replaced a package in the folder, or if a crash
 * left a file incomplete, and downloads the package again.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { ensureFolder } from "../../files/folder.ts";
import type { StagedStream } from "../../files/staged-stream.ts";
import { causeInWords } from "../../files/system-error.ts";
import { removeForsaken, temporaryName } from "../../files/temporary-name.ts";
import type { Reporter } from "../../refresh/session.ts";

/** The default size limit of a cache in bytes. */
const usualCacheBytes = 4 * 1024 ** 3;

/** Maximum number of files in a cache, because larger folders are slow to read. */
const maxFiles = 100_000;

const piece = 1024 * 1024;

export interface CacheOptions {
  /** The cache's folder. feedkey makes the folder if it is missing, and removes temporary files of killed runs from it. */
  readonly folder: string;
  /**
   * The size limit in bytes, by default 4 GiB: at the end of a run, feedkey removes the least recently used files until the rest fits.
   */
  readonly maxBytes?: number | undefined;
}

export class PackageCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #reporter: Reporter;
  #isFull = false;

  private constructor(folder: string, maxBytes: number, reporter: Reporter) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#reporter = reporter;
  }

  /** Opens a cache. @throws FeedkeyError `output` if the folder can't be made */
  static async open({ folder, maxBytes = usualCacheBytes }: CacheOptions, reporter: Reporter): Promise<PackageCache> {
    const path = resolve(folder);
    await ensureFolder(path, 0o755);
    await removeForsaken(path);
    return new PackageCache(path, maxBytes, reporter);
  }

  /**
   * Copies a package from the cache to a new file, and verifies the copy. If the cached file is damaged, removes this file.
   * @param wanted the package's SHA-256, and its size if the index gives one
   * @param open starts to write the new file
   * @returns the new file, still under its temporary name; undefined if the cache does not have the package, or only a damaged copy
   */
  async take(
    wanted: { readonly sha256: string; readonly size: number | undefined },
    open: () => Promise<StagedStream>,
  ): Promise<StagedStream | undefined> {
    const kept = join(this.#folder, wanted.sha256);
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await fs.open(kept, flags).catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return undefined;
      const file = stat.size === (wanted.size ?? stat.size) ? await copyOf(handle, wanted.sha256, open) : undefined;
      if (file === undefined) {
        this.#reporter.warn(
          `${escapeText(kept)} in the cache is damaged: it was removed, and the package is downloaded again`,
        );
        await fs.unlink(kept).catch(() => undefined);
      }
      // `trim` removes the files with the oldest date first, so a new date marks the file as recently used.
      else await fs.utimes(kept, new Date(), new Date()).catch(() => undefined);
      return file;
    } finally {
      await handle.close();
    }
  }

  /** Stores a copy of a verified file. If feedkey can't write the copy, it only warns, and stores no more packages in this run. */
  async add(sha256: string, path: string, size: number): Promise<void> {
    if (this.#isFull || size > this.#maxBytes) return;
    const temporary = join(this.#folder, temporaryName());
    try {
      await fs.copyFile(path, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await fs.rename(temporary, join(this.#folder, sha256));
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      await fs.unlink(temporary).catch(() => undefined);
      this.#isFull = true;
      this.#reporter.warn(
        `no more packages are stored in the cache ${escapeText(this.#folder)}: ${causeInWords(error)}`,
      );
    }
  }

  /** Removes the least recently used files until the rest is within the limits. Several runs may do this at the same time. */
  async trim(): Promise<void> {
    const names = (await fs.readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const found = await Promise.all(
      names.map(async (name) => ({ name, stat: await fs.lstat(join(this.#folder, name)).catch(() => undefined) })),
    );
    const files = found.flatMap(({ name, stat }) => (stat?.isFile() === true ? { name, stat } : []));
    files.sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
    let bytes = 0;
    for (const [place, { name, stat }] of files.entries()) {
      bytes += stat.size;
      if (bytes > this.#maxBytes || place >= maxFiles) await fs.unlink(join(this.#folder, name)).catch(() => undefined);
    }
  }
}

/** Copies an open file to a temporary file. @returns undefined if the digest is wrong @throws FeedkeyError `output` */
async function copyOf(
  handle: fs.FileHandle,
  sha256: string,
  open: () => Promise<StagedStream>,
): Promise<StagedStream | undefined> {
  const file = await open();
  try {
    const hash = createHash("sha256");
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: piece })) {
      hash.update(chunk);
      await file.write(chunk);
    }
    if (hash.digest("hex") === sha256) return file;
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.discard();
  return undefined;
}
