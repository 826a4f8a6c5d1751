/** Carries out the plan for a bucket. After a crash, the next run finishes the work. */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { HeldLock } from "../../files/lock.ts";
import type { Bucket, NewObject } from "../../object-store/bucket.ts";
import { bothSignatures, maxOldSignature } from "./both-signatures.ts";
import { type BucketLock, objectOf } from "./bucket-lock.ts";
import type { BucketRecord, Upload } from "./bucket-record.ts";
import { fileObject, readLocal } from "./local-files.ts";
import type { MirrorPlan, Put } from "./mirror-plan.ts";
import { headersOf, kinds, type ObjectKind } from "./object-kind.ts";

export interface UploadTerms {
  readonly root: string;
  readonly bucket: Bucket;
  /** The lock of the bucket. */
  readonly held: BucketLock;
  readonly record: BucketRecord;
  /** The lock of the local tree. */
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

/** Runs an action on several items at a time. Even after an error, it ends only when no action is running any more. */
async function each<Item>(items: readonly Item[], action: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const work = async () => {
    for (const item of queue) {
      if (failures.length > 0) return;
      await action(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw failures[0];
}

/** Returns signature files with both the old and the new signature, to match the index before and after its change. */
async function signaturesBetween({ puts }: MirrorPlan, { root, bucket }: UploadTerms): Promise<Map<Put, Uint8Array>> {
  const changing = new Set(puts.map(({ file }) => file.path));
  const both = new Map<Put, Uint8Array>();
  for (const put of puts) {
    const { path, size } = put.file;
    if (!put.signs.some((signed) => changing.has(signed)) || put.there === undefined) continue;
    if (put.there.size > maxOldSignature || size > maxOldSignature) continue;
    const old = await bucket.read(path, maxOldSignature);
    const made = old && bothSignatures(old, await readLocal(root, put.file));
    if (made !== undefined) both.set(put, made);
  }
  return both;
}

function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Returns the record while objects are being replaced: each may be the old, the new, or an intermediate object. */
function during(known: ReadonlyMap<string, Upload>, { puts, same }: MirrorPlan, both: ReadonlyMap<Put, Uint8Array>) {
  const objects = new Map([...known, ...same]);
  for (const put of puts) {
    const { path, size, modified } = put.file;
    const { md5 } = put.digests;
    const between = both.get(put);
    const old = [...(known.get(path)?.etags ?? []), ...(put.there === undefined ? [] : [put.there.etag])];
    const all = [...old, ...(between === undefined ? [] : [md5Of(between)])].filter((etag) => etag !== md5);
    objects.set(path, { size, modified, md5, etags: [...new Set(all), md5] });
  }
  return objects;
}

/**
 * Uploads packages, bundle, lists, roots and signatures, in this order. Then removes objects whose files are gone.
 * @throws FeedkeyError `locked`, `unavailable`, `bad_path`, `output`
 */
export async function upload(plan: MirrorPlan, terms: UploadTerms): Promise<Uploaded> {
  const { puts, removes, foreign, same } = plan;
  const { root, bucket, held, record, lock } = terms;
  const both = await signaturesBetween(plan, terms);
  const objects = during(record.objects, plan, both);
  const isKnown = ([path, { modified, etags }]: readonly [string, Upload]) => {
    const before = record.objects.get(path);
    return before?.modified === modified && before.etags.length === 1 && before.etags[0] === etags[0];
  };
  const isDone = puts.length + removes.length === 0 && [...same].every(isKnown);
  if (!isDone) await record.write(objects);

  /** The ETags of the present objects that this run writes, by path. */
  const now = new Map(puts.map(({ file, there }) => [file.path, there?.etag]));
  const write = async ({ file: { path } }: Put, object: NewObject, md5: string) => {
    const condition = held.conditions ? { etag: now.get(path) } : undefined;
    const written = await bucket.write(path, object, condition);
    if (typeof written === "object") return now.set(path, written.etag || md5);
    // An earlier attempt, whose answer was lost, may have written the object.
    if ((await bucket.list(path)).get(path)?.etag === md5) return now.set(path, md5);
    throw changedMeanwhile(path);
  };
  const stage = async <Item>(items: readonly Item[], action: (item: Item) => Promise<unknown>) => {
    if (items.length === 0) return;
    await held.assertHeld();
    await lock.assertHeld();
    await each(items, async (item) => void (await action(item)));
  };
  const remove = async (isDue: (kind: ObjectKind) => boolean) => {
    const due = removes.filter(({ kind }) => isDue(kind));
    await stage(due, async ({ path }) => bucket.remove(path));
  };
  const isSigned = (kind: ObjectKind) => kind === "root" || kind === "signature";

  for (const kind of kinds) {
    if (kind === "list") {
      // Remove old signed forms before the new index is uploaded: no older signed index may be beside the new index.
      await remove(isSigned);
      const headers = (put: Put) => headersOf(put.file.path, "signature");
      await stage([...both], async ([put, bytes]) => write(put, objectOf(bytes, headers(put)), md5Of(bytes)));
    }
    const due = puts.filter((put) => put.kind === kind);
    await stage(due, async (put) => {
      const { file, digests } = put;
      await write(put, fileObject(root, file, digests, headersOf(file.path, kind)), digests.md5);
    });
  }
  await remove((kind) => !isSigned(kind));

  for (const { path } of removes) objects.delete(path);
  for (const { file, digests } of puts) {
    const { path, size, modified } = file;
    objects.set(path, { size, modified, md5: digests.md5, etags: [now.get(path) ?? digests.md5] });
  }
  if (!isDone) await record.write(objects);
  const bytes = puts.reduce((sum, { file }) => sum + file.size, 0);
  return { uploaded: puts.length, bytes, removed: removes.length, notes: notesOf(held, foreign) };
}

function notesOf({ conditions }: BucketLock, foreign: readonly string[]): string[] {
  const weak =
    "the object store knows no conditional writes: two machines that publish at the same time are told from a lock object alone";
  const [first = ""] = foreign;
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more` : "";
  return [
    ...(conditions ? [] : [weak]),
    ...(first === "" ? [] : [`${escapeText(first)}${more}: not what was uploaded last, and uploaded again`]),
  ];
}

function changedMeanwhile(path: string): FeedkeyError {
  return new FeedkeyError("locked", `${escapeText(path)} changed in the bucket while it was being written`, {
    details: { object: path },
    hint: "another machine publishes into this bucket: look at what is there, and run the command again",
  });
}
