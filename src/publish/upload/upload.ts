/** Carries out the plan for a bucket. If the run crashes, the next run finishes the work. */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { HeldLock } from "../../files/lock.ts";
import type { Bucket, NewObject } from "../../object-store/bucket.ts";
import { bothSignatures, maxOldSignature } from "../../openpgp/check/signature-packets.ts";
import { inOrder } from "../../packages/compression/in-order.ts";
import { type BucketLock, objectOf } from "./bucket-lock.ts";
import type { BucketRecord, Upload } from "./bucket-record.ts";
import { fileObject, readLocal } from "./local-files.ts";
import { headersOf, kinds, type ObjectKind } from "./object-kind.ts";
import type { Put, UploadPlan } from "./upload-plan.ts";

interface UploadTerms {
  readonly root: string;
  readonly bucket: Bucket;
  /** The lock for the bucket. */
  readonly held: BucketLock;
  readonly record: BucketRecord;
  /** The lock for the local tree. */
  readonly lock: HeldLock;
}

export interface Uploaded {
  /** The number of uploaded objects. */
  readonly uploaded: number;
  readonly bytes: number;
  readonly removed: number;
  readonly notes: readonly string[];
}

const atOnce = 8;

/**
 * Returns signature files with both the old and the new signature. So one of the signatures matches the index before and after the index
 * changes.
 */
async function signaturesBetween({ puts }: UploadPlan, { root, bucket }: UploadTerms): Promise<Map<Put, Uint8Array>> {
  const both = new Map<Put, Uint8Array>();
  if (!puts.some(({ kind }) => kind === "list" || kind === "root")) return both;
  for (const put of puts) {
    if (put.kind !== "signature" || put.there === undefined) continue;
    if (put.there.size > maxOldSignature || put.size > maxOldSignature) continue;
    const old = await bucket.read(put.path, maxOldSignature);
    const made = old && bothSignatures(old, await readLocal(root, put));
    if (made !== undefined) both.set(put, made);
  }
  return both;
}

function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Returns the record's entry for an object during its replacement. The object may be the old, the new, or an intermediate object. */
function during(
  { size, modified, md5, there }: Put,
  known: Upload | undefined,
  between: Uint8Array | undefined,
): Upload {
  const old = [...(known?.etags ?? []), ...(there === undefined ? [] : [there.etag])];
  const all = [...old, ...(between === undefined ? [] : [md5Of(between)])].filter((etag) => etag !== md5);
  return { size, modified, md5, etags: [...new Set(all), md5] };
}

/**
 * Uploads packages, key bundle, lists, roots and signatures, in this order. Then removes the objects whose files no longer exist.
 * @throws FeedkeyError `locked` if feedkey has lost the lock or an object has changed; `unavailable` if the server fails; `bad_path` or
 * `output` if a local file is unreadable
 */
export async function upload(plan: UploadPlan, terms: UploadTerms): Promise<Uploaded> {
  const { puts, removes, same } = plan;
  const { root, bucket, held, record, lock } = terms;
  const both = await signaturesBetween(plan, terms);
  const replaced = puts.map((put) => [put.path, during(put, record.objects.get(put.path), both.get(put))] as const);
  const objects = new Map([...record.objects, ...same, ...replaced]);
  await record.write(objects);

  /** For each path that this run writes, the ETag of the present object. */
  const now = new Map(puts.map(({ path, there }) => [path, there?.etag]));
  const write = async ({ path }: Put, object: NewObject, md5: string) => {
    const condition = held.conditions ? { etag: now.get(path) } : undefined;
    const written = await bucket.write(path, object, condition);
    if (typeof written === "object") return now.set(path, written.etag || md5);
    // Perhaps an earlier attempt wrote the object, but the server's answer was lost.
    if ((await bucket.list(path)).get(path)?.etag === md5) return now.set(path, md5);
    throw changedMeanwhile(path);
  };
  const stage = async <Item>(items: readonly Item[], action: (item: Item) => Promise<unknown>) => {
    if (items.length === 0) return;
    await held.assertHeld();
    await lock.assertHeld();
    for await (const done of inOrder(items, atOnce, action)) void done;
  };
  const remove = async (isDue: (kind: ObjectKind) => boolean) => {
    const due = removes.filter(({ kind }) => isDue(kind));
    await stage(due, ({ path }) => bucket.remove(path));
  };
  const isSigned = (kind: ObjectKind) => kind === "root" || kind === "signature";

  for (const kind of kinds) {
    const headers = ({ path }: Put) => headersOf(path, kind);
    if (kind === "list") {
      // feedkey removes old signed forms before it uploads the new index, so that no older signed index is beside the new index.
      await remove(isSigned);
      await stage([...both], ([put, bytes]) => write(put, objectOf(bytes, headers(put)), md5Of(bytes)));
    }
    const due = puts.filter((put) => put.kind === kind);
    await stage(due, (put) => write(put, fileObject(root, put, headers(put)), put.md5));
  }
  await remove((kind) => !isSigned(kind));

  for (const { path } of removes) objects.delete(path);
  for (const { path, size, modified, md5 } of puts) {
    objects.set(path, { size, modified, md5, etags: [now.get(path) ?? md5] });
  }
  await record.write(objects);
  const bytes = puts.reduce((sum, { size }) => sum + size, 0);
  const foreign = puts.filter(({ isForeign }) => isForeign).map(({ path }) => path);
  return { uploaded: puts.length, bytes, removed: removes.length, notes: notesOf(held, foreign) };
}

function notesOf({ conditions }: BucketLock, foreign: readonly string[]): string[] {
  const weak =
    "the object store does not support conditional writes: only a lock object keeps two machines from publishing at the same time";
  const [first = ""] = foreign;
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more` : "";
  return [
    ...(conditions ? [] : [weak]),
    ...(first === ""
      ? []
      : [
          `${escapeText(first)}${more}: the object differed from the last upload with this key store, so feedkey uploaded it again`,
        ]),
  ];
}

function changedMeanwhile(path: string): FeedkeyError {
  return new FeedkeyError("locked", `${escapeText(path)} changed in the bucket while feedkey was writing it`, {
    details: { object: path },
    hint: "another machine publishes to this bucket: look at the bucket, and run the command again",
  });
}
