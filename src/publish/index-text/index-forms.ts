/** The files that an index is made of: its lists of packages, and their compressed forms. */
import { createHash } from "node:crypto";
import type { Data } from "../../content.ts";
import { FeedkeyError } from "../../error.ts";
import type { Spools } from "../../files/spool.ts";
import { maxIndexBytes } from "../../formats/formats.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { SummaryForm } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import { compressIndex } from "./index-compression.ts";

/** A file that is written below a feed's folder. */
export interface FileWrite {
  /** Below the feed's folder. */
  readonly name: string;
  readonly data: Data;
}

/** A file with a signature of its own. */
export interface SignedFile {
  readonly name: string;
  readonly document: HashedDocument;
}

/** @throws FeedkeyError `bad_index`: no client takes so many bytes */
export function refuseLarge(what: string, bytes: number, most = maxIndexBytes): void {
  if (bytes <= most) return;
  throw new FeedkeyError("bad_index", `${what} has ${bytes} bytes, but no client accepts more than ${most}`, {
    details: { bytes, most },
    hint: "divide its packages between several feeds",
  });
}

/** Those that are not there yet, or not as they should be. */
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
   * @param texts of the lists, by name
   * @param published files that are known to be of this index: they are not made again
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

  /** Whether nothing is made: all that was asked for was published before. */
  get areKnown(): boolean {
    return this.#published.size > 0;
  }

  /** SHA-256 of what the index is published as, by name. */
  get digests(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#made].map(([name, { sha256 }]) => [name, sha256]));
  }

  /** The texts of all lists, by name. */
  async texts(): Promise<ReadonlyMap<string, HashedDocument>> {
    return await this.#texts();
  }

  /** The text of a list. */
  async text(list: string): Promise<HashedDocument> {
    const text = (await this.#texts()).get(list);
    if (text === undefined) throw new FeedkeyError("internal", `there is no text of the list ${list}`);
    return text;
  }

  /** The same where it is published as it is. */
  async plain(list: string): Promise<HashedDocument> {
    const file = this.#published.get(list) ?? (await this.text(list));
    this.#made.set(list, file);
    return file;
  }

  /**
   * A compressed form of a list.
   * @param there gives what is published under its name, if that can stay
   * @param before what is there: what did not change in it need not be compressed again
   * @throws FeedkeyError `bad_index`: no client takes a file of that size; `output`
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
