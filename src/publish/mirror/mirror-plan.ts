/** Plans the changes that make a bucket equal to the local tree. */
import type { Stored } from "../../object-store/listing.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import type { Upload } from "./bucket-record.ts";
import { type Digested, digestsOf, type LocalFile, localFiles } from "./local-files.ts";
import { type Classified, classify } from "./object-kind.ts";

export interface Put extends Classified {
  readonly file: LocalFile;
  readonly digests: Digested;
  /** The present object, which the upload replaces; undefined if no object exists under the name. */
  readonly there: Stored | undefined;
}

export interface MirrorPlan {
  readonly puts: readonly Put[];
  /** Objects that this key store uploaded and whose files the local tree no longer has. */
  readonly removes: readonly (Classified & { readonly path: string })[];
  /** Names of objects that somebody else wrote and that the upload would replace. */
  readonly foreign: readonly string[];
  /** Objects that already match the local files, for the record. */
  readonly same: ReadonlyMap<string, Upload>;
}

export class MirrorPlanner {
  readonly #root: string;
  readonly #feeds: readonly ArchiveFeed[];
  readonly #digests = new Map<string, Promise<Digested>>();

  constructor(root: string, feeds: readonly ArchiveFeed[]) {
    this.#root = root;
    this.#feeds = feeds;
  }

  /**
   * Plans the uploads and removals.
   * @param listed the objects in the bucket
   * @param known the recorded uploads
   * @param only tells which files to compare; by default all files
   * @throws FeedkeyError `bad_path`, `output`
   */
  async plan(
    listed: ReadonlyMap<string, Stored>,
    known: ReadonlyMap<string, Upload>,
    only: (what: Classified) => boolean = () => true,
  ): Promise<MirrorPlan> {
    const files = new Map((await localFiles(this.#root)).map((file) => [file.path, file]));
    const puts: Put[] = [];
    const foreign: string[] = [];
    const same = new Map<string, Upload>();
    const removes: MirrorPlan["removes"][number][] = [];
    for (const [path, what] of classify([...files.keys(), ...known.keys()], this.#feeds)) {
      if (!only(what)) continue;
      const [file, before, there] = [files.get(path), known.get(path), listed.get(path)];
      const isKnown = there !== undefined && before?.etags.includes(there.etag) === true;
      if (file === undefined) {
        if (isKnown) removes.push({ path, ...what });
        continue;
      }
      const isUnchanged = before?.size === file.size && before.modified === file.modified;
      const md5 = isUnchanged ? before.md5 : (await this.#digestsOf(file)).md5;
      // The ETag of an encrypted object is not the MD5 digest.
      const expected = before?.md5 === md5 ? [md5, before.etags.at(-1)] : [md5];
      if (there?.size === file.size && expected.includes(there.etag)) {
        same.set(path, { size: file.size, modified: file.modified, md5, etags: [there.etag] });
        continue;
      }
      if (there !== undefined && !isKnown) foreign.push(path);
      puts.push({ ...what, file, digests: await this.#digestsOf(file), there });
    }
    return { puts, removes, foreign, same };
  }

  async #digestsOf({ path, size, modified }: LocalFile): Promise<Digested> {
    const key = `${size} ${modified} ${path}`;
    const digests = this.#digests.get(key) ?? digestsOf(this.#root, path);
    this.#digests.set(key, digests);
    return await digests;
  }
}
