/**
 * Keeps the record, in the key store, of each feed's last published index. A signature is not enough to recognize the last index. An older
 * index also has a good signature, and anyone who can write to the published tree could put an older index back.
 */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, unlessMissing } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import type { HeldLock } from "../files/lock.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { SignedFile } from "./feed-layout.ts";

/** Returns the folder with the records about an archive. This folder is in the key store, never in the published tree. */
export function recordsFolder(store: KeyStore, root: string): string {
  return join(store.folder, "archives", hash("sha256", root).slice(0, 32));
}

export interface PublishedRecord {
  /**
   * The SHA-256 digests of each signed file, in lower-case hex, by the file's path below the archive's root. While feedkey replaces a
   * file, the record has the digests of both versions.
   */
  readonly indexes: ReadonlyMap<string, readonly string[]>;
  /** Whether a run with this key store wrote the key bundle, or was about to write it. */
  readonly bundle: boolean;
  /** The source of each feed's present index, by the feed's path. */
  readonly made: ReadonlyMap<string, MadeRecord>;
}

/** The source from which feedkey built an index. While the source stays the same, feedkey need not build the index's files again. */
export interface MadeRecord {
  /** A digest of the packages and the settings. */
  readonly from: string;
  readonly packages: number;
  /** The size, in bytes, of the index's text or of its largest package list. */
  readonly bytes: number;
  /** The notes about the index for the keepers. */
  readonly notes: readonly string[];
  /** The SHA-256 digests of the index's files, by their names below the feed. */
  readonly files: Readonly<Record<string, string>>;
}

const version = 1;

function fileIn(records: string): string {
  return join(records, "published.json");
}

/** Returns a signed file's path in the record, and the file's digest. */
export function recordEntry({ path }: Pick<ArchiveFeed, "path">, { name, document }: SignedFile) {
  return { path: join(path, name), sha256: document.sha256 };
}

/** Reads the entries about indexes that feedkey built. Omits malformed entries, so that feedkey builds their files again. */
function readMade(made: unknown): Map<string, MadeRecord> {
  const isMade = (entry: [string, unknown]): entry is [string, MadeRecord] => {
    const { from, packages, bytes, notes, files } = Object(entry[1]) as Record<string, unknown>;
    const isText = (value: unknown) => typeof value === "string";
    const areNumbers = Number.isSafeInteger(packages) && Number.isSafeInteger(bytes);
    return (
      isText(from) &&
      areNumbers &&
      Array.isArray(notes) &&
      notes.every(isText) &&
      Object.values(Object(files)).every(isText)
    );
  };
  return new Map(Object.entries(Object(made) as object).filter(isMade));
}

function parse(text: string): PublishedRecord | undefined {
  try {
    const { version: found, indexes, bundle, made } = JSON.parse(text) as Record<string, unknown>;
    if (found !== version || typeof indexes !== "object" || indexes === null) return undefined;
    const entries = Object.entries(indexes as Record<string, unknown>);
    const isList = (value: unknown): value is string[] => {
      return Array.isArray(value) && value.every((one) => typeof one === "string" && /^[0-9a-f]{64}$/.test(one));
    };
    const sound = entries.filter((entry): entry is [string, string[]] => isList(entry[1]));
    return sound.length === entries.length
      ? { indexes: new Map(sound), bundle: bundle === true, made: readMade(made) }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the record; returns an empty record before the first publication.
 * @param records the archive's folder of records
 * @throws FeedkeyError `bad_config` if the record is damaged or unreadable
 */
export async function readPublished(records: string): Promise<PublishedRecord> {
  const file = fileIn(records);
  const text = await unlessMissing(readFile(file, "utf8"), (cause) => {
    return new FeedkeyError("bad_config", `the record of the last publication, ${file}, can't be read`, {
      cause,
      details: { path: file },
    });
  });
  const record = text === undefined ? { indexes: new Map(), bundle: false, made: new Map() } : parse(text);
  if (record !== undefined) return record;
  throw new FeedkeyError("bad_config", `the record of the last publication, ${file}, is damaged`, {
    details: { path: file },
    hint: "check the published files, remove the record, and run feedkey publish",
  });
}

/** A planned index in all its forms. */
interface Indexed {
  readonly feed: ArchiveFeed;
  readonly signed: readonly SignedFile[];
  readonly made?: MadeRecord | undefined;
}

function entriesOf({ feed, signed }: Indexed) {
  return signed.map((file) => recordEntry(feed, file));
}

async function write(records: string, { indexes, bundle, made }: PublishedRecord, lock: HeldLock): Promise<void> {
  const sorted = <Value>(map: ReadonlyMap<string, Value>) => Object.fromEntries([...map].sort());
  const text = `${JSON.stringify({ version, bundle, indexes: sorted(indexes), made: sorted(made) }, null, 2)}\n`;
  const there = await readFile(fileIn(records), "utf8").catch(() => undefined);
  if (there !== text) await writeFileAtomic(fileIn(records), text, { mode: 0o600 }, lock);
}

/**
 * Records an index that another program will put in place. The previous index stays in the record too.
 * @throws FeedkeyError `output` or `locked` if feedkey can't write the record
 */
export async function recordSigned(
  records: string,
  feed: Pick<ArchiveFeed, "path">,
  file: SignedFile,
  lock: HeldLock,
): Promise<void> {
  const { indexes, bundle, made } = await readPublished(records);
  const { path, sha256 } = recordEntry(feed, file);
  const last = indexes.get(path)?.at(-1);
  const both = [...new Set([...(last === undefined ? [] : [last]), sha256])];
  await write(records, { indexes: new Map(indexes).set(path, both), bundle, made }, lock);
}

/** The plans that the caller will publish. */
interface ToRecord {
  readonly plans: readonly Indexed[];
  /** Which plans to record. `known`: only plans for files that the record already has, because other programs write the others. */
  readonly only: "all" | "known";
  readonly withBundle: boolean;
}

/**
 * Publishes, and updates the record. Adds the new indexes to the record before they are published, and removes the old indexes afterwards.
 * @param before the present record
 * @param publish puts the indexes and the key bundle in place
 * @throws FeedkeyError `output` or `locked` if feedkey can't write the record
 */
export async function recording(
  records: string,
  before: PublishedRecord,
  { plans, only, withBundle }: ToRecord,
  lock: HeldLock,
  publish: () => Promise<void>,
): Promise<void> {
  const during = new Map(before.indexes);
  const after = new Map(before.indexes);
  for (const { path, sha256 } of plans.flatMap(entriesOf)) {
    const known = before.indexes.get(path);
    if (known === undefined && only === "known") continue;
    during.set(path, [...new Set([...(known ?? []), sha256])]);
    after.set(path, [sha256]);
  }
  const bundle = before.bundle || withBundle;
  const made = new Map(before.made);
  for (const plan of plans) if (plan.made !== undefined) made.set(plan.feed.path, plan.made);
  await write(records, { indexes: during, bundle, made: before.made }, lock);
  await publish();
  await write(records, { indexes: after, bundle, made }, lock);
}
