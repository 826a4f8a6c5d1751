/** The record, in the key store, of what was uploaded to an object store. It shows which objects somebody else has changed. */
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
  /** The ETags that the object may have. While the object is being replaced, these are the ETags of the old and the new object. */
  readonly etags: readonly string[];
}

export interface BucketRecord {
  /** A random name by which other publishers can tell this publisher from others. */
  readonly owner: string;
  /** The uploaded files, by their paths below the root. */
  readonly objects: ReadonlyMap<string, Upload>;
  /**
   * Replaces the recorded objects, unless they are the same.
   * @throws FeedkeyError `output` or `locked` if the record can't be written
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
 * Opens the record of a place in an object store, or begins a new record.
 * @param records the archive's folder of records
 * @throws FeedkeyError `bad_config` if the record is damaged; `output` or `locked` if it can't be written
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
      throw new FeedkeyError("bad_config", `the record of what was uploaded, ${file}, is damaged or can't be read`, {
        cause,
        details: { path: file },
        hint: "check what is in the bucket, remove that file, and run feedkey publish --force",
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
  // The owner's name is saved before it is written to the bucket. So if this run is killed, the next run knows that the lock is its own.
  await write(objects);
  return { owner, objects, write };
}
