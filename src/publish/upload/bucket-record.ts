/** Keeps the record, in the key store, of files uploaded to an object store. The record shows which objects somebody else has changed. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../../error.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import type { HeldLock } from "../../files/lock.ts";

/** An uploaded file. */
export interface Upload {
  readonly size: number;
  /** The file's modification time: milliseconds since 1970, with fractions. */
  readonly modified: number;
  readonly md5: string;
  /** The ETags that the object may have. While feedkey replaces the object, these are the ETags of the old and the new object. */
  readonly etags: readonly string[];
}

export interface BucketRecord {
  /** A random name that identifies this publisher among all publishers. */
  readonly owner: string;
  /** The uploaded files, by their paths below the root. */
  readonly objects: ReadonlyMap<string, Upload>;
  /**
   * Replaces the recorded objects if they differ.
   * @throws FeedkeyError `output` or `locked` if feedkey can't write the record
   */
  write(objects: ReadonlyMap<string, Upload>): Promise<void>;
}

const version = 1;

/**
 * Parses the text of a record.
 * @throws Error if the text is damaged
 */
function parse(text: string, place: string): Pick<BucketRecord, "owner" | "objects"> {
  const found = JSON.parse(text);
  if (found.version !== version || typeof found.owner !== "string") throw new SyntaxError("version");
  const entries = Object.entries(found.objects as Record<string, [number, number, string, string[]]>);
  const objects = entries.map(([path, [size, modified, md5, etags]]) => {
    if (!Array.isArray(etags)) throw new SyntaxError(path);
    return [path, { size, modified, md5, etags }] as const;
  });
  return { owner: found.owner, objects: new Map(found.place === place ? objects : []) };
}

/**
 * Opens the record for a place in an object store, or begins a new record.
 * @param records the archive's folder of records
 * @throws FeedkeyError `bad_config` if the record is damaged; `output` or `locked` if feedkey can't write the record
 */
export async function openBucketRecord(records: string, place: string, lock: HeldLock): Promise<BucketRecord> {
  const file = join(records, "bucket.json");
  let found: Pick<BucketRecord, "owner" | "objects"> = { owner: randomBytes(12).toString("hex"), objects: new Map() };
  let present: string | undefined;
  try {
    present = await readFile(file, "utf8");
    found = parse(present, place);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") {
      throw new FeedkeyError("bad_config", `the record of uploaded files, ${file}, is damaged or unreadable`, {
        cause,
        details: { path: file },
        hint: "check the objects in the bucket, remove the record, and run feedkey publish --force",
      });
    }
  }
  const { owner, objects } = found;
  const write = async (now: ReadonlyMap<string, Upload>) => {
    const rows = [...now].map(([path, { size, modified, md5, etags }]) => [path, [size, modified, md5, etags]]);
    const text = `${JSON.stringify({ version, place, owner, objects: Object.fromEntries(rows) })}\n`;
    if (text !== present) await writeFileAtomic(file, text, { mode: 0o600 }, lock);
    present = text;
  };
  // feedkey saves the owner's name before it writes the lock to the bucket. If this run is killed, the next run recognizes its own lock.
  await write(objects);
  return { owner, objects, write };
}
