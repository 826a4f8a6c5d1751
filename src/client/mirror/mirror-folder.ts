/** The folder of a mirror: the records about its files, and how feedkey writes, replaces and removes these files. */
import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode, unlessMissing } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { commitStaged, orDiscard, removeLeftovers, type StagedFile, writeFileAtomic } from "../../files/atomic.ts";
import { digestFile } from "../../files/file-digest.ts";
import { ensureFolder, folderWithin, isWithin, syncFolder } from "../../files/folder.ts";
import type { HeldLock } from "../../files/lock.ts";
import { readPlainFile } from "../../files/plain-file.ts";
import { type StagedStream, stageStream } from "../../files/staged-stream.ts";
import { isPlainPath } from "../../formats/digests.ts";
import { fileNameFor } from "../../store/state-file.ts";
import type { FeedFile } from "./feed-files.ts";

/** The name of the folder with the records; no path in an index can lead into this folder. */
const recordsFolder = ".feedkey-mirror";
const recordVersion = 1;

/** The size, digest and modification time that a file had when feedkey last verified the file. */
export interface KnownFile {
  readonly size: number;
  /** The file's SHA-256, lower-case hex. */
  readonly sha256: string;
  /** The file's modification time in milliseconds. */
  readonly mtime: number;
}

/** The record of a feed in a mirror: its index and its files. */
export interface FeedRecord {
  /** Identifies the index and its signature; empty while a run replaces the feed's files. */
  readonly index: string;
  /** The paths of the files that are not packages. */
  readonly lists: readonly string[];
  /** The feed's files, by their paths below the mirror's folder; undefined for a file of which feedkey knows only the path. */
  readonly files: ReadonlyMap<string, KnownFile | undefined>;
}

const nothing: FeedRecord = { index: "", lists: [], files: new Map() };

export class MirrorFolder {
  readonly folder: string;
  readonly #prepared = new Set<string>();

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  /** The folder with the records and the mirror's lock. */
  get records(): string {
    return join(this.folder, recordsFolder);
  }

  /** The folder with copies of the key bundle and the validators (ETag and date) of these copies. */
  get bundles(): string {
    return join(this.records, "bundles");
  }

  async prepareRecords(): Promise<void> {
    for (const folder of [this.records, this.bundles]) await removeLeftovers(folder);
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  #recordPath(feed: string): string {
    return join(this.records, `${fileNameFor(feed)}.json`);
  }

  /**
   * Reads a feed's record; returns an empty record if the record is missing or unreadable. Then feedkey hashes every file
   * again, and does not remove files that the index no longer lists.
   */
  async read(feed: string): Promise<FeedRecord> {
    return (await readRecord(this.#recordPath(feed))) ?? nothing;
  }

  async write(feed: string, { index, lists, files }: FeedRecord, lock: HeldLock): Promise<void> {
    const document = { version: recordVersion, index, lists, files: Object.fromEntries(files) };
    // In the file, null stands for undefined: feedkey knows only the path.
    const text = JSON.stringify(document, (_, value) => (value === undefined ? null : value));
    await writeFileAtomic(this.#recordPath(feed), text, { mode: 0o644 }, lock);
  }

  /** Returns the paths of the files that belong to other feeds in the mirror. */
  async ofOthers(feed: string): Promise<ReadonlySet<string>> {
    const own = basename(this.#recordPath(feed));
    const names = (await fs.readdir(this.records)).filter((name) => name.endsWith(".json") && name !== own);
    const records = await Promise.all(names.map((name) => readRecord(join(this.records, name))));
    return new Set(records.flatMap((record) => [...(record?.files.keys() ?? [])]));
  }

  /**
   * Returns a new record of a file that has the wanted digest; undefined if the file is missing or different. Hashes the file
   * only if its size or date differs from the previous record.
   */
  async known(path: string, wanted: { size: number | undefined; sha256: string }, record: FeedRecord) {
    const stat = await fs.lstat(this.path(path)).catch(() => undefined);
    if (stat?.isFile() !== true || stat.size !== (wanted.size ?? stat.size)) return undefined;
    const before = record.files.get(path);
    const found = { size: stat.size, sha256: wanted.sha256, mtime: stat.mtimeMs };
    if (before?.sha256 === wanted.sha256 && before.size === stat.size && before.mtime === stat.mtimeMs) return found;
    return digestFile(this.path(path))?.sha256 === wanted.sha256 ? found : undefined;
  }

  /** Records the properties of a file that was just verified. */
  async note(
    files: Map<string, KnownFile>,
    path: string,
    { size, sha256 }: { size: number | undefined; sha256: string },
  ) {
    const stat = await fs.lstat(this.path(path));
    files.set(path, { size: size ?? stat.size, sha256, mtime: stat.mtimeMs });
  }

  /** Returns the records of the files that are not packages; undefined if one of these files is missing or changed. */
  async knownLists(record: FeedRecord): Promise<Map<string, KnownFile> | undefined> {
    const found = new Map<string, KnownFile>();
    for (const path of record.lists) {
      const before = record.files.get(path);
      const known = before && (await this.known(path, before, record));
      if (known === undefined) return undefined;
      found.set(path, known);
    }
    return found;
  }

  async exists(path: string): Promise<boolean> {
    return (await fs.lstat(path).catch(() => undefined)) !== undefined;
  }

  /** Returns the contents of a file; undefined if the file is missing, is not a regular file, or is larger than `maxBytes`. */
  async content(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    try {
      const found = readPlainFile(this.path(path), maxBytes);
      return "bytes" in found ? found.bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes a file, unless the file already has these bytes. @returns whether feedkey wrote the file */
  async replace(path: string, bytes: Uint8Array, lock: HeldLock): Promise<boolean> {
    const there = await this.content(path, bytes.length);
    if (there !== undefined && Buffer.compare(there, bytes) === 0) return false;
    await this.prepare([path]);
    await commitStaged(await this.stage([{ path, bytes }]), lock);
    return true;
  }

  /**
   * Makes the folders of the given files, and removes temporary files of killed runs from these folders, once for each folder.
   * The caller must hold the lock.
   */
  async prepare(paths: Iterable<string>): Promise<void> {
    for (const folder of new Set([...paths].map((path) => dirname(this.path(path))))) {
      if (this.#prepared.has(folder)) continue;
      this.#prepared.add(folder);
      await removeLeftovers(await folderWithin(this.folder, folder));
    }
  }

  /** Starts to write a file. @throws FeedkeyError `bad_path` if a symbolic link leads the file's folder out of the mirror */
  async open(path: string): Promise<StagedStream> {
    return await stageStream(this.path(path), { within: this.folder, mode: 0o644 });
  }

  /** Writes files under temporary names, in the given order. */
  async stage(files: readonly FeedFile[]): Promise<StagedFile[]> {
    const staged: StagedFile[] = [];
    await orDiscard(staged, async () => {
      for (const { path, bytes } of files) {
        const stream = await this.open(path);
        await stream.write(bytes);
        staged.push(await stream.finish());
      }
    });
    return staged;
  }

  /** Removes files, and then folders that are empty. Does not follow symbolic links out of the mirror. */
  async remove(paths: readonly string[]): Promise<void> {
    const root = await fs.realpath(this.folder);
    for (const path of paths) {
      const real = await fs.realpath(dirname(this.path(path))).catch(() => undefined);
      if (real === undefined || !isWithin(root, real)) continue;
      await unlessMissing(fs.unlink(join(real, basename(path))), (error) => notRemoved(this.path(path), error));
      for (let at = real; at !== root && isWithin(root, at); at = dirname(at)) {
        if ((await fs.rmdir(at).catch(() => "in use")) === "in use") break;
      }
    }
  }

  /** Makes the mirror's folder and the folder with its records. @throws FeedkeyError `output` if this fails */
  async make(): Promise<void> {
    await ensureFolder(this.records, 0o755);
  }

  async sync(paths: Iterable<string>): Promise<void> {
    for (const folder of new Set([...paths].map((path) => dirname(this.path(path))))) await syncFolder(folder);
  }
}

async function readRecord(path: string): Promise<FeedRecord | undefined> {
  try {
    const { version, index, lists, files } = JSON.parse(await fs.readFile(path, "utf8"));
    if (version !== recordVersion || typeof index !== "string" || !Array.isArray(lists)) return undefined;
    const known = Object.entries(files as Record<string, KnownFile | null>);
    // Another user may have changed the record, so feedkey ignores paths that lead out of the mirror and never removes such
    // files.
    const plain = known.filter(([one]) => isPlainPath(one));
    return { index, lists, files: new Map(plain.map(([one, file]) => [one, file ?? undefined])) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function notRemoved(path: string, cause: unknown): FeedkeyError {
  return new FeedkeyError("output", `${escapeText(path)} can't be removed: ${systemCode(cause)}`, {
    details: { path },
    hint: "the mirror is up to date, except for this old file: check the permissions of its folder, and run the command again",
    cause,
  });
}
