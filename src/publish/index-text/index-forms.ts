/** Provides the files of an index: the package lists and their compressed forms. */
import { createHash } from "node:crypto";
import type { Data } from "../../content.ts";
import { FeedkeyError } from "../../error.ts";
import type { Spools } from "../../files/spool.ts";
import { maxIndexBytes } from "../../formats/formats.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { SummaryForm } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import { compressIndex } from "./index-compression.ts";

/** A file to write below a feed's folder. */
export interface FileWrite {
  /** The path below the feed's folder. */
  readonly name: string;
  readonly data: Data;
}

/** A file that gets its own signature. */
export interface SignedFile {
  readonly name: string;
  readonly document: HashedDocument;
}

/**
 * Refuses an index that is too large.
 * @throws FeedkeyError `bad_index` if the index is larger than any client accepts
 */
export function refuseLarge(what: string, bytes: number, most = maxIndexBytes): void {
  if (bytes <= most) return;
  throw new FeedkeyError("bad_index", `${what} has ${bytes} bytes, but no client accepts more than ${most}`, {
    details: { bytes, most },
    hint: "divide the packages of this feed among several feeds",
  });
}

/** Returns the files that are not published yet, or whose published contents differ. */
export async function changedFiles(folder: FolderView, files: readonly SignedFile[]): Promise<FileWrite[]> {
  const changed: FileWrite[] = [];
  for (const { name, document } of files) {
    const there = await folder.document(name);
    if (there?.equals(document) !== true) changed.push({ name, data: document });
  }
  return changed;
}

export class IndexForms {
  readonly #made = new Map<string, HashedDocument>();
  readonly #texts: () => Promise<ReadonlyMap<string, HashedDocument>>;
  readonly #published: ReadonlyMap<string, HashedDocument>;
  readonly #spools: Spools;

  /**
   * @param texts returns the texts of the package lists, by name
   * @param published published files that belong to this index, so that feedkey need not write them again
   */
  constructor(
    texts: () => Promise<ReadonlyMap<string, HashedDocument>>,
    spools: Spools,
    published: ReadonlyMap<string, HashedDocument> = new Map(),
  ) {
    this.#texts = texts;
    this.#published = published;
    this.#spools = spools;
  }

  /** Whether all files of this index are already published, so that feedkey need not write any file again. */
  get areKnown(): boolean {
    return this.#published.size > 0;
  }

  /** The SHA-256 digests of this index's published files, by name. */
  get digests(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#made].map(([name, { sha256 }]) => [name, sha256]));
  }

  /** Returns the texts of all package lists, by name. */
  async texts(): Promise<ReadonlyMap<string, HashedDocument>> {
    return await this.#texts();
  }

  /** Returns the text of one package list. */
  async text(list: string): Promise<HashedDocument> {
    const text = (await this.#texts()).get(list);
    if (text === undefined) throw new FeedkeyError("internal", `the text of the list ${list} is missing`);
    return text;
  }

  /** Returns the uncompressed file of a list, for publishing. */
  async plain(list: string): Promise<HashedDocument> {
    const file = this.#published.get(list) ?? (await this.text(list));
    this.#made.set(list, file);
    return file;
  }

  /**
   * Returns a compressed form of a list.
   * @param there returns the published file of this form if this file can stay
   * @param before the present file, whose unchanged parts feedkey reuses
   * @throws FeedkeyError `bad_index` if the file is larger than any client accepts; `output` if feedkey can't write the file
   */
  async compressed(
    list: string,
    form: SummaryForm,
    there?: () => Promise<HashedDocument | undefined>,
    before?: () => Promise<Buffer | undefined>,
  ): Promise<HashedDocument> {
    const name = `${list}.${form}`;
    const file =
      this.#published.get(name) ??
      (await there?.()) ??
      (await this.#compress(await this.text(list), form, await before?.()));
    refuseLarge(name, file.length);
    this.#made.set(name, file);
    return file;
  }

  async #compress(text: HashedDocument, form: SummaryForm, before: Buffer | undefined): Promise<HashedDocument> {
    const spool = this.#spools.make();
    const hash = createHash("sha256");
    for await (const bytes of compressIndex(text, form, before)) {
      hash.update(bytes);
      spool.write(bytes);
    }
    return new HashedDocument(spool, hash);
  }
}
