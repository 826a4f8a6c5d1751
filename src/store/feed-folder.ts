import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { bytesOf, type Data } from "../content.ts";
import { systemCode } from "../error.ts";
import { commitStaged, replaceLink, stageAll, writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder, syncFolder } from "../files/folder.ts";
import type { HashedFile, HeldFiles } from "../files/hashed-file.ts";
import type { HeldLock } from "../files/lock.ts";
import { outputError } from "../files/system-error.ts";
import { type AcceptedPart, type FeedMeta, parseFeedMeta, serializeFeedMeta } from "./feed-meta.ts";
import { badState, fileNameFor, namesIn, readStateFile, unreadable } from "./state-file.ts";

/**
 * Returns the path of a part's text, beside the accepted index that names the part.
 * @param digest the part's digest, in lower-case hex
 */
function partPath(indexPath: string, digest: string): string {
  return join(dirname(indexPath), `part-${digest}`);
}

/** The text of a part (package list) that was kept with an accepted index. The caller must compare the digest: the file may be damaged. */
interface KeptPart {
  readonly path: string;
  readonly text: HashedFile;
}

/** What the client stored about the last accepted index of a feed. */
export interface Accepted {
  readonly meta: FeedMeta;
  readonly indexPath: string;
  readonly signaturePath: string;
}

/** The last accepted index of a feed, with its detached signature. Their digests are those that were recorded. */
export interface LastIndex extends Accepted {
  readonly index: HashedFile;
  readonly signature: Uint8Array;
  /**
   * Reads a part.
   * @param digest the digest of the part's text, in lower-case hex
   * @returns undefined if the part is missing
   */
  readPart(digest: string): KeptPart | undefined;
}

/**
 * The folder `feeds/`. For each feed, it has a symbolic link NAME to a folder `.NAME.N`. This folder (a *generation*) has `index`,
 * `signature` and `meta.json`, and also the parts if the index lists its packages in parts. Each accepted index gets a new folder, then the
 * link changes, so that all files of a feed change together.
 */
export class FeedFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns the names of the feeds that have an accepted index. @throws FeedkeyError `bad_state` if a record is damaged */
  async names(): Promise<string[]> {
    const links = (await namesIn(this.#folder)).filter((name) => !name.startsWith("."));
    return Promise.all(
      links.map(async (link) => {
        const { feed } = await this.#readMeta(join(this.#folder, link));
        if (fileNameFor(feed) === link) return feed;
        throw badState(join(this.#folder, link), `is the state of another feed, "${feed}"`);
      }),
    );
  }

  /**
   * Reads what is stored about a feed, without reading the index itself.
   * @returns undefined if the feed has no accepted index
   * @throws FeedkeyError `bad_state` if a file is missing or does not match the record
   */
  async read(feed: string): Promise<Accepted | undefined> {
    const generation = await this.#generation(feed);
    if (generation === undefined) return undefined;
    // The link is resolved once, so that all three files are from one generation even if another run changes the link meanwhile.
    const folder = join(this.#folder, this.#generationName(feed, generation));
    const meta = await this.#readMeta(folder);
    if (meta.feed !== feed) throw badState(folder, `is the state of another feed, "${meta.feed}"`);
    const accepted = { meta, indexPath: join(folder, "index"), signaturePath: join(folder, "signature") };
    if ((await sizeOf(accepted.indexPath)) !== meta.size)
      throw badState(accepted.indexPath, "does not have the size that was recorded when it was accepted");
    await sizeOf(accepted.signaturePath);
    return accepted;
  }

  /**
   * Opens the index and reads its signature.
   * @param files keeps the index open, because another run may replace it
   * @throws FeedkeyError `bad_state` if a digest differs from the recorded digest
   */
  open(accepted: Accepted, files: HeldFiles): LastIndex {
    const { meta, indexPath, signaturePath } = accepted;
    return {
      ...accepted,
      index: openDigested(files, indexPath, meta.sha256),
      signature: bytesOf(openDigested(files, signaturePath, meta.signatureSha256)),
      readPart: (digest) => {
        const path = partPath(indexPath, digest);
        // A part that can't be read is downloaded again.
        const text = openPlainFile(files, path, () => undefined);
        return text && { path, text };
      },
    };
  }

  /**
   * Replaces the old index by a new index in one step. The old index stays on the disk until `removeStrays`.
   * @throws FeedkeyError `output` if the disk can't be written, or `locked` if the lock was lost; the old index is then still in place
   */
  async replace(
    meta: FeedMeta,
    index: Data,
    signature: Uint8Array,
    lock: HeldLock,
    parts: ReadonlyMap<string, AcceptedPart> = new Map(),
  ): Promise<void> {
    await ensureFolder(this.#folder, 0o755);
    const name = this.#generationName(meta.feed, ((await this.#generation(meta.feed)) ?? 0) + 1);
    const folder = join(this.#folder, name);
    try {
      await fs.rm(folder, { recursive: true, force: true });
      await ensureFolder(folder, 0o755);
      const files = [
        ...[...parts].map(([digest, { text }]) => {
          return { path: partPath(join(folder, "index"), digest), data: text, mode: 0o644 };
        }),
        { path: join(folder, "index"), data: index, mode: 0o644 },
        { path: join(folder, "signature"), data: signature, mode: 0o644 },
        { path: join(folder, "meta.json"), data: serializeFeedMeta(meta), mode: 0o644 },
      ];
      await commitStaged(await stageAll(files));
      await syncFolder(this.#folder);
      await replaceLink(join(this.#folder, fileNameFor(meta.feed)), name, lock);
    } catch (error) {
      // `removeStrays` keeps the new folder if the link already leads to it: this is so if only the last sync failed.
      await this.removeStrays().catch(() => undefined);
      throw outputError(error, folder);
    }
  }

  /**
   * Whether each part has a file of the right size beside an accepted index.
   * @param parts the parts, by digest
   */
  async hasParts({ indexPath }: Accepted, parts: ReadonlyMap<string, AcceptedPart>): Promise<boolean> {
    for (const [digest, { text }] of parts) {
      const found = await fs.lstat(partPath(indexPath, digest)).catch(() => undefined);
      if (found?.isFile() !== true || found.size !== text.length) return false;
    }
    return true;
  }

  /**
   * Replaces `meta.json` of the current index and signature.
   * @throws FeedkeyError `output` if the file can't be written; `locked` if the lock was lost
   */
  async rewriteMeta(meta: FeedMeta, lock: HeldLock): Promise<void> {
    const name = this.#generationName(meta.feed, (await this.#generation(meta.feed)) ?? 0);
    await writeFileAtomic(join(this.#folder, name, "meta.json"), serializeFeedMeta(meta), { mode: 0o644 }, lock);
  }

  /** Removes the generations to which no link leads: those that were replaced, and those that a killed run did not finish. */
  async removeStrays(): Promise<void> {
    const names = await namesIn(this.#folder);
    const links = names.filter((name) => !name.startsWith("."));
    const used = new Set(await Promise.all(links.map((link) => this.#target(link))));
    const strays = names.filter((name) => /^\..+\.\d+$/.test(name) && !used.has(name));
    for (const stray of strays) {
      // If the folder can't be removed, the next run removes it.
      await fs.rm(join(this.#folder, stray), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  #generationName(feed: string, generation: number): string {
    return `.${fileNameFor(feed)}.${generation}`;
  }

  async #generation(feed: string): Promise<number | undefined> {
    const name = fileNameFor(feed);
    const target = await this.#target(name);
    if (target === undefined) return undefined;
    const generation = /\.([1-9]\d{0,14})$/.exec(target)?.[1];
    if (generation !== undefined && target === `.${name}.${generation}`) return Number(generation);
    throw badState(
      join(this.#folder, name),
      `leads to "${target}", which is not a folder that feedkey makes for this feed`,
    );
  }

  async #target(link: string): Promise<string | undefined> {
    const path = join(this.#folder, link);
    try {
      return await fs.readlink(path);
    } catch (error) {
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
      if (systemCode(error) === "EINVAL") throw badState(path, "is not a symbolic link");
      throw unreadable(path, error);
    }
  }

  async #readMeta(folder: string): Promise<FeedMeta> {
    const path = join(folder, "meta.json");
    const bytes = await readStateFile(path);
    if (bytes === undefined) throw badState(path, "is gone");
    return parseFeedMeta(bytes, path);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    const stat = await fs.lstat(path);
    if (stat.isFile()) return stat.size;
  } catch (error) {
    throw systemCode(error) === "ENOENT" ? badState(path, "is gone") : unreadable(path, error);
  }
  throw badState(path, "is not a plain file");
}

/** Opens a plain file. @param onFailure gets the system's error @returns undefined if the path is not a plain file */
function openPlainFile(files: HeldFiles, path: string, onFailure: (error: unknown) => undefined) {
  try {
    const file = files.open(path);
    return "problem" in file ? undefined : file;
  } catch (error) {
    return onFailure(error);
  }
}

function openDigested(files: HeldFiles, path: string, expected: string): HashedFile {
  const file = openPlainFile(files, path, (error) => {
    throw unreadable(path, error);
  });
  if (file?.sha256.digest("hex") === expected) return file;
  throw badState(path, "does not match the digest that was recorded when it was accepted");
}
