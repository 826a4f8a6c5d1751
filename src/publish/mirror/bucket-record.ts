/** What was uploaded to an object store, remembered beside the archive's keys: anyone else's work there can be told from it. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../../error.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import type { HeldLock } from "../../files/lock.ts";

/** A file as it was uploaded. */
export interface Upload {
  readonly size: number;
  /** Milliseconds since 1970, with fractions. */
  readonly modified: number;
  readonly md5: string;
  /** What the object may be: while it is being replaced, old and new ones. */
  readonly etags: readonly string[];
}

export interface BucketRecord {
  /** Who this is, for others: random. */
  readonly owner: string;
  /** By the path below the root. */
  readonly objects: ReadonlyMap<string, Upload>;
  /** Keeps these from now on. @throws FeedkeyError `output`, `locked` */
  write(objects: ReadonlyMap<string, Upload>): Promise<void>;
}

const version = 1;

interface Found {
  readonly owner: string;
  readonly objects: ReadonlyMap<string, Upload>;
}

/** @returns undefined if there is none; without objects if it is of another place @throws FeedkeyError `bad_config` */
async function read(file: string, place: string): Promise<Found | undefined> {
  try {
    const found = JSON.parse(await readFile(file, "utf8"));
    if (found.version !== version || typeof found.owner !== "string") throw new SyntaxError("version");
    const entries = Object.entries(found.objects as Record<string, [number, number, string, string[]]>);
    const objects = entries.map(([path, [size, modified, md5, etags]]) => {
      if (!Array.isArray(etags)) throw new SyntaxError(path);
      return [path, { size, modified, md5, etags }] as const;
    });
    return { owner: found.owner, objects: new Map(found.place === place ? objects : []) };
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new FeedkeyError("bad_config", `${file} is damaged, or can't be read: it says what was uploaded`, {
      cause,
      details: { path: file },
      hint: "remove it, look at what is in the bucket, and run feedkey publish --force",
    });
  }
}

/**
 * Opens the record of a place, or begins one.
 * @param records the archive's folder of records
 * @throws FeedkeyError `bad_config` if it is damaged; `output`, `locked`
 */
export async function openBucketRecord(records: string, place: string, lock: HeldLock): Promise<BucketRecord> {
  const file = join(records, "bucket.json");
  const found = await read(file, place);
  const { owner, objects } = found ?? { owner: randomBytes(12).toString("hex"), objects: new Map<string, Upload>() };
  const write = async (now: ReadonlyMap<string, Upload>) => {
    const rows = [...now].map(([path, { size, modified, md5, etags }]) => [path, [size, modified, md5, etags]]);
    const text = `${JSON.stringify({ version, place, owner, objects: Object.fromEntries(rows) })}\n`;
    await writeFileAtomic(file, text, { mode: 0o600 }, lock);
  };
  // Before the owner is in the bucket: a lock that a killed run leaves there is this one's.
  if (found === undefined) await write(objects);
  return { owner, objects, write };
}
