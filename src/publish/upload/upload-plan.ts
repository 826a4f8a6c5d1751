/** Plans the changes that make a bucket equal to the local tree. */
import type { Stored } from "../../object-store/listing.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import type { Upload } from "./bucket-record.ts";
import { type Digests, digestsOf, type LocalFile, localFiles } from "./local-files.ts";
import { kindsOf, type ObjectKind } from "./object-kind.ts";

/** A file to upload. */
export interface Put extends LocalFile, Digests {
  readonly kind: ObjectKind;
  /** The present object with this name, which the upload replaces; undefined if no object has this name. */
  readonly there: Stored | undefined;
  /** Whether somebody else wrote the present object. */
  readonly isForeign: boolean;
}

export interface UploadPlan {
  readonly puts: readonly Put[];
  /** The objects that were uploaded with this key store, and whose files are no longer in the local tree. */
  readonly removes: readonly { readonly path: string; readonly kind: ObjectKind }[];
  /** The objects that already match the local files. feedkey adds these objects to the record. */
  readonly same: ReadonlyMap<string, Upload>;
}

interface ToUpload {
  /** The absolute path of the local tree's root. */
  readonly root: string;
  readonly feeds: readonly ArchiveFeed[];
  /** The objects in the bucket. */
  readonly listed: ReadonlyMap<string, Stored>;
  /** The uploads in the record. */
  readonly known: ReadonlyMap<string, Upload>;
}

/**
 * Plans the uploads and removals.
 * @param isDue returns whether to compare a file; by default, feedkey compares all files
 * @throws FeedkeyError `bad_path` or `output` if a local file is unreadable
 */
export async function planUpload(
  { root, feeds, listed, known }: ToUpload,
  isDue: (kind: ObjectKind) => boolean = () => true,
): Promise<UploadPlan> {
  const files = await localFiles(root);
  const local = new Set(files.map(({ path }) => path));
  const kindOf = kindsOf([...local, ...known.keys()], feeds);
  const isKnown = (path: string) => known.get(path)?.etags.includes(listed.get(path)?.etag ?? "") === true;
  const gone = [...known.keys()].filter((path) => !local.has(path) && isKnown(path));
  const puts: Put[] = [];
  const same = new Map<string, Upload>();
  for (const file of files) {
    const { path, size, modified } = file;
    const kind = kindOf(path);
    if (!isDue(kind)) continue;
    const [before, there] = [known.get(path), listed.get(path)];
    const isUnchanged = before?.size === size && before.modified === modified;
    const digests = isUnchanged ? undefined : await digestsOf(root, path);
    const md5 = digests?.md5 ?? before?.md5 ?? "";
    // If the server encrypts objects, an object's ETag is not its MD5 digest, so the recorded ETag counts too.
    const expected = before?.md5 === md5 ? [md5, before.etags.at(-1)] : [md5];
    if (there?.size === size && expected.includes(there.etag)) {
      same.set(path, { size, modified, md5, etags: [there.etag] });
      continue;
    }
    const isForeign = there !== undefined && !isKnown(path);
    puts.push({ ...file, ...(digests ?? (await digestsOf(root, path))), kind, there, isForeign });
  }
  return { puts, removes: gone.map((path) => ({ path, kind: kindOf(path) })), same };
}
