/**
 * Publishes an archive in an object store: changes the local tree, then uploads it, from packages to signatures (docs/object-stores.md).
 */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { HeldLock } from "../../files/lock.ts";
import { createTransport } from "../../net/transport.ts";
import { storeAccess } from "../../object-store/access.ts";
import { Bucket } from "../../object-store/bucket.ts";
import type { ArchiveConfig, ArchiveFeed, BucketPlace } from "../../profile/types.ts";
import type { Instant } from "../../time.ts";
import { lockBucket } from "./bucket-lock.ts";
import { openBucketRecord } from "./bucket-record.ts";
import { type Uploaded, upload } from "./upload.ts";
import { planUpload } from "./upload-plan.ts";

/** Returns where to upload an archive's local tree; undefined if clients read the tree itself. */
export function uploadTarget({ bucket, feeds }: ArchiveConfig): UploadTarget | undefined {
  return bucket && { place: bucket, feeds };
}

/** The place to which feedkey uploads the local tree. */
export interface UploadTarget {
  readonly place: BucketPlace;
  /** All feeds in the archive. They determine which files feedkey uploads last. */
  readonly feeds: readonly ArchiveFeed[];
}

/** The changes in the object store. */
export interface BucketUpload extends Uploaded {
  /** The bucket and prefix, as `s3://BUCKET/PREFIX`. */
  readonly place: string;
}

interface Terms {
  /** The place to which feedkey uploads the local tree; undefined if clients read the tree itself. */
  readonly target?: UploadTarget | undefined;
  /** The absolute path of the local tree's root. */
  readonly root: string;
  /** The archive's folder of records. */
  readonly records: string;
  readonly lock: HeldLock;
  readonly at: Instant;
  /** Whether to take over another publisher's lock, and to replace objects that another publisher wrote. */
  readonly force: boolean;
}

function nameOf({ bucket, prefix }: BucketPlace): string {
  return `s3://${bucket}/${prefix}`;
}

/** Returns a sentence about the changes; an empty list if there were no changes. */
export function told({ place, uploaded, removed }: BucketUpload): string[] {
  return uploaded + removed === 0 ? [] : [`uploaded ${uploaded} to ${place}, removed ${removed}`];
}

/**
 * Locks the bucket, publishes to the local tree, and then uploads the tree.
 * @param publish changes the local tree, and returns whether it applied the changes; feedkey uploads only applied changes
 * @throws FeedkeyError before anything is published: `bad_config`, `unavailable`, `locked`, `would_break`; later also `bad_path` and
 * `output`: the next run then continues the upload
 */
export async function withUpload<Result extends { readonly applied: boolean }>(
  terms: Terms,
  publish: () => Promise<Result>,
): Promise<Result & { readonly upload?: BucketUpload }> {
  const { target, root, records, lock, force, at } = terms;
  if (target === undefined) return await publish();
  const place = nameOf(target.place);
  const access = await storeAccess(target.place);
  const transport = createTransport();
  try {
    const bucket = new Bucket(access, target.place.prefix, transport);
    const record = await openBucketRecord(records, `${place} ${access.url}`, lock);
    const held = await lockBucket(bucket, record.owner, at, force);
    try {
      const there = { root, feeds: target.feeds, listed: await bucket.list(), known: record.objects };
      const { puts } = await planUpload(there, (kind) => kind !== "package");
      const foreign = puts.filter(({ isForeign }) => isForeign).map(({ path }) => path);
      if (foreign.length > 0 && !force) throw writtenByAnother(place, foreign);
      const result = await publish();
      if (!result.applied) return result;
      const uploaded = await upload(await planUpload(there), { root, bucket, held, record, lock });
      return { ...result, upload: { place, ...uploaded } };
    } finally {
      await held.release().catch(() => undefined);
    }
  } finally {
    await transport.close();
  }
}

function writtenByAnother(place: string, foreign: readonly string[]): FeedkeyError {
  const [first = ""] = foreign;
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more` : "";
  return new FeedkeyError(
    "would_break",
    `the bucket differs from the last upload with this key store: ${escapeText(place + first)}${more}`,
    {
      details: { place, objects: foreign.slice(0, 100) },
      hint: "another machine may have published something newer, or someone else can write to the bucket: look at the bucket, update the local tree, and then run feedkey publish --force",
    },
  );
}
