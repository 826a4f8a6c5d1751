/**
 * Copies of the key bundles from the last download, for servers that answer "not modified". A copy may be lost: the ledger and the
 * certificates hold everything that feedkey learned from a bundle, and feedkey downloads a lost or damaged copy again.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import type { HeldLock } from "../files/lock.ts";
import { type FileVersion, fileVersionDocument, parseFileVersion } from "./file-version.ts";
import { sha256 } from "./state-file.ts";
import { StateReader } from "./state-reader.ts";

export interface BundleCopy {
  readonly version: FileVersion;
  readonly bytes: Uint8Array;
}

const formatVersion = 1;

/** The folder `bundles/`. For each URL, it has a file with one line of JSON followed by the bundle. */
export class BundleCopies {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns the copy of the bundle from a URL; undefined if the copy is missing or damaged. */
  async read(url: string): Promise<BundleCopy | undefined> {
    const path = this.#path(url);
    try {
      const file = await fs.readFile(path);
      const end = file.indexOf("\n");
      const bytes = file.subarray(end + 1);
      const read = new StateReader(path);
      const head = read.document(file.subarray(0, end), formatVersion, ["from", "sha256"]);
      const version = parseFileVersion(head.get("from"), "from", read);
      if (version.url === url && read.digest(head.get("sha256"), "sha256") === sha256(bytes)) return { version, bytes };
    } catch (error) {
      if (!(error instanceof FeedkeyError) && systemCode(error) === undefined) throw error;
    }
    return undefined;
  }

  /**
   * Keeps the copies from this run and removes all others. If this run has no copies, the copies from an earlier run
   * stay.
   * @throws FeedkeyError `output` if a copy can't be written; `locked` if the lock was lost
   */
  async keep(copies: readonly BundleCopy[], lock: HeldLock): Promise<void> {
    if (copies.length === 0) return;
    await ensureFolder(this.#folder, 0o755);
    for (const { version, bytes } of copies) {
      const path = this.#path(version.url);
      const head = { version: formatVersion, from: fileVersionDocument(version), sha256: sha256(bytes) };
      const file = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]);
      const present = await fs.readFile(path).catch(() => undefined);
      if (present?.equals(file) !== true) await writeFileAtomic(path, file, { mode: 0o644 }, lock);
    }
    const kept = new Set(copies.map(({ version }) => nameOf(version.url)));
    for (const name of await fs.readdir(this.#folder)) {
      // If a file can't be removed, the next run removes it.
      if (!kept.has(name)) await fs.rm(join(this.#folder, name), { force: true }).catch(() => undefined);
    }
  }

  #path(url: string): string {
    return join(this.#folder, nameOf(url));
  }
}

function nameOf(url: string): string {
  return `${sha256(url)}.bundle`;
}
