/** Use case: make a verified copy of a feed in a folder, for other clients. */

import { posix } from "node:path";
import { bytesOf } from "../../content.ts";
import { FeedkeyError, mostSeriousOf, orRefusal } from "../../error.ts";
import { commitStaged, discard, orDiscard, type StagedFile } from "../../files/atomic.ts";
import { type HeldLock, withLock } from "../../files/lock.ts";
import type { StagedStream } from "../../files/staged-stream.ts";
import { formatOf } from "../../formats/formats.ts";
import { bothSignatures, maxOldSignature } from "../../openpgp/check/signature-packets.ts";
import { limits } from "../../openpgp/packet/limits.ts";
import { bundlePath } from "../../profile/layout.ts";
import { downloadFile, fileUrl, pastCaches } from "../../refresh/download.ts";
import type { Session } from "../../refresh/session.ts";
import { BundleCopies, type BundleCopy } from "../../store/bundle-copies.ts";
import { sha256 } from "../../store/state-file.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { CallOptions } from "../client-options.ts";
import { Mirrors } from "../mirrors.ts";
import { packagesFolder } from "../packages/fetch.ts";
import { choicesOf, fetchChoices, type Wish } from "../packages/fetch-packages.ts";
import { foldedName } from "../packages/output-names.ts";
import { wantedOf } from "../packages/wanted-file.ts";
import { updateWithFreshKeys } from "../update.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";
import { type FeedFile, type FeedFiles, feedFiles } from "./feed-files.ts";
import { type FeedRecord, type KnownFile, MirrorFolder } from "./mirror-folder.ts";

export interface MirrorOptions extends CallOptions, Omit<Wish, "all"> {
  /** The packages to mirror, each as `NAME` or `NAME=VERSION`, with or without wildcards; by default all packages. */
  readonly packages?: readonly string[] | undefined;
}

export interface Mirrored {
  readonly feed: string;
  /** SHA-256 of the signed file, lower-case hex. */
  readonly sha256: string;
  /** Whether this run changed a file that clients see. */
  readonly changed: boolean;
  /** The number of mirrored packages in the feed; `fetched` says how many of these packages this run downloaded. */
  readonly packages: number;
  readonly fetched: number;
  /** The number of files that this run removed because no index in the mirror lists them any more. */
  readonly removed: number;
  /**
   * The reasons why packages are missing. If a package's entry is bad, this run still mirrored the other packages; if a
   * download failed, this run left the mirror unchanged.
   */
  readonly errors: readonly FeedkeyError[];
}

type Outcome = Pick<Mirrored, "changed" | "fetched" | "removed" | "errors">;

/** Whether an error comes from this machine, so that another server can't help. */
const isOwn = ({ code }: FeedkeyError) => code === "output" || code === "internal";

/** A package and its path in the mirror. */
interface Placed {
  readonly path: string;
  readonly size: number | undefined;
  readonly sha256: string;
  readonly choice: Choice;
}

/** One update of the mirror of one feed. */
interface Job {
  readonly session: Session;
  readonly index: VerifiedIndex;
  readonly folder: MirrorFolder;
  readonly lock: HeldLock;
  readonly record: FeedRecord;
  readonly placed: readonly Placed[];
}

const armoredBundle = bundlePath.replace(/\.pgp$/, ".asc");

/** Returns a text that identifies an index. The same index with a newer signature counts as a different index. */
const identityOf = ({ sha256, createdAt }: VerifiedIndex) => `${sha256} ${createdAt}`;

/**
 * Brings the mirror of a feed up to date: packages first, then lists, bundle, root and signatures; last, removes obsolete
 * files. If feedkey refuses a file, or the server lacks a file, the mirror keeps its previous state.
 * @throws FeedkeyError as `update` and `fetch` do; `locked` if another run uses the folder
 */
export async function mirrorFeed(
  session: Session,
  name: string,
  into: string,
  options: MirrorOptions,
): Promise<Mirrored> {
  const feeds = chosenFeeds(session.profile, [name]);
  const [outcome] = await updateWithFreshKeys(session, feeds, { allowEmpty: false });
  if (outcome?.ok !== true) throw outcome?.error ?? new FeedkeyError("internal", "no feed was updated");
  const { index } = outcome;
  const { choices, errors: unlisted } = await choicesOf(options.packages ?? [], wishOf(options), [index]);
  const refusal = mostSeriousOf(unlisted);
  if (refusal !== undefined) throw refusal;
  const { placed, errors } = await placesOf(choices);
  const folder = new MirrorFolder(into);
  await folder.make();
  return await withLock(folder.records, async (lock) => {
    await folder.prepareRecords();
    const record = await folder.read(name);
    const done = await bringUpToDate({ session, index, folder, lock, record, placed });
    return { feed: name, sha256: index.sha256, packages: placed.length, ...done, errors: [...errors, ...done.errors] };
  });
}

function wishOf({ packages = [], latest, withDependencies }: MirrorOptions): Wish {
  return { latest, withDependencies, all: packages.length === 0 && latest !== true };
}

/**
 * Finds the packages' paths in the mirror. Leaves out packages with a bad entry, which clients can't fetch either.
 * @throws FeedkeyError `bad_path` if two packages have the same path
 */
async function placesOf(choices: readonly Choice[]): Promise<{ placed: Placed[]; errors: FeedkeyError[] }> {
  const places = new Map<string, Placed>();
  const errors: FeedkeyError[] = [];
  for (const choice of choices) {
    const wanted = await orRefusal(() => wantedOf(choice.entry, choice.index.feed.format));
    if (wanted instanceof FeedkeyError) {
      errors.push(wanted);
      continue;
    }
    const path = posix.join(packagesFolder(choice.index), wanted.segments.join("/"));
    const rival = places.get(foldedName(path));
    if (rival !== undefined && (rival.path !== path || rival.sha256 !== wanted.sha256))
      throw onePlace(path, rival.path);
    places.set(foldedName(path), { path, size: wanted.size, sha256: wanted.sha256, choice });
  }
  return { placed: [...places.values()], errors };
}

/** Refuses packages whose path is that of an index, a signature or the bundle. @throws FeedkeyError `bad_path` */
function refuseInPlaceOf(placed: readonly Placed[], paths: readonly string[]): void {
  const folded = new Map(paths.map((path) => [foldedName(path), path]));
  for (const { path } of placed) {
    const other = folded.get(foldedName(path));
    if (other !== undefined) throw onePlace(path, other);
  }
}

function onePlace(path: string, other: string): FeedkeyError {
  return new FeedkeyError(
    "bad_path",
    `two files of the feed would replace each other on some file systems: ${path} and ${other}`,
    {
      details: { path, other },
      hint: "the paths of two files must differ in more than upper and lower case: tell the archive's keepers",
    },
  );
}

async function bringUpToDate(job: Job): Promise<Outcome> {
  const { folder, index, placed, record } = job;
  const there = new Map<string, KnownFile>();
  for (const one of placed) {
    const known = await folder.known(one.path, one, record);
    if (known !== undefined) there.set(one.path, known);
  }
  const missing = placed.filter(({ path }) => !there.has(path));
  const lists = await folder.knownLists(record);
  if (record.index === identityOf(index) && missing.length === 0 && lists !== undefined) {
    const changed = await renewBundle(job);
    const files = new Map([...there, ...lists]);
    return { changed, fetched: 0, removed: await tidy(job, { ...record, files }, record.files), errors: [] };
  }
  // This run records its paths before it writes: if it is killed, the next run knows which files it may have left.
  const begun: Map<string, KnownFile | undefined> = new Map(record.files);
  const begin = async (paths: readonly string[]) => {
    for (const path of paths) if (!begun.has(path)) begun.set(path, undefined);
    await folder.write(index.feed.name, { index: "", lists: [], files: begun }, job.lock);
    await folder.prepare(paths);
  };
  await begin(placed.map(({ path }) => path));
  const held: StagedFile[] = [];
  return await orDiscard(held, async () => {
    const errors = await fetchMissing(job, missing, held);
    if (errors.length > 0) {
      await discard(held);
      return { changed: false, fetched: missing.length - errors.length, removed: 0, errors };
    }
    const found = await fromMirrors(job);
    const all = [...found.lists, ...found.plain, ...found.signatures, ...found.framed];
    refuseInPlaceOf(placed, [...all.map(({ path }) => path), bundlePath, armoredBundle]);
    await begin(all.map(({ path }) => path));
    await renewBundle(job);
    await switchTo(job, found, held);
    const files = new Map<string, KnownFile>();
    for (const { path, sha256, size } of placed) await folder.note(files, path, { size, sha256 });
    for (const { path, bytes } of all) await folder.note(files, path, { size: bytes.length, sha256: sha256(bytes) });
    const now = { index: identityOf(index), lists: all.map(({ path }) => path), files };
    return { changed: true, fetched: missing.length, removed: await tidy(job, now, begun), errors: [] };
  });
}

/**
 * Downloads missing packages.
 * @param held receives packages that replace files; the caller renames them with the index
 */
async function fetchMissing(
  { session, folder }: Job,
  missing: readonly Placed[],
  held: StagedFile[],
): Promise<readonly FeedkeyError[]> {
  const places = new Map(missing.map((one) => [one.choice, one.path]));
  const settle = async (file: StagedStream) => {
    if (await folder.exists(file.path)) held.push(await file.finish());
    else await file.commit({ syncLater: true });
  };
  const choices = missing.map(({ choice }) => choice);
  const { errors } = await fetchChoices(session, choices, (choice) => {
    const path = places.get(choice) ?? "";
    return { path: folder.path(path), open: () => folder.open(path), settle };
  });
  await folder.sync(places.values());
  return errors;
}

async function fromMirrors({ session, index }: Job): Promise<FeedFiles> {
  const judged = await session.judge();
  return await new Mirrors(session).firstGood((location) => feedFiles({ session, judged, index }, location), isOwn);
}

/** Replaces the feed's files. Writes all new files to the disk before it gives the first file its final name. */
async function switchTo({ folder, index, lock }: Job, files: FeedFiles, held: readonly StagedFile[]): Promise<void> {
  const both: FeedFile[] = [];
  // Between the renames, signature files hold the old and the new signature, unless the format's clients accept only one.
  if (formatOf(index.feed.format).oneSignature === undefined) {
    for (const one of files.signatures) {
      const old = await folder.content(one.path, maxOldSignature);
      const joined = old && Buffer.compare(old, one.bytes) !== 0 ? bothSignatures(old, one.bytes) : undefined;
      if (joined !== undefined) both.push({ path: one.path, bytes: joined });
    }
  }
  const lists = await folder.stage(files.lists);
  const rest = [...both, ...files.plain, ...files.signatures, ...files.framed];
  const roots = await orDiscard(lists, () => folder.stage(rest));
  await commitStaged([...lists, ...held, ...roots], lock);
}

/**
 * Brings the mirror's copies of the archive's key bundle up to date. The mirror copies the bundle without checks, because
 * clients verify its certificates.
 * @returns whether one of the copies changed
 */
async function renewBundle({ session, folder, lock }: Job): Promise<boolean> {
  const copies = new BundleCopies(folder.bundles);
  const kept: BundleCopy[] = [];
  let changed = false;
  for (const path of [bundlePath, armoredBundle]) {
    const bundle = await new Mirrors(session).firstGood(async (location) => {
      const copy = await copies.read(fileUrl(location, path).href);
      const remembered = copy && { version: copy.version, stored: copy };
      return await downloadFile(session, location, path, limits.keyringBytes, { ...pastCaches, remembered });
    }, isOwn);
    if (bundle === undefined) continue;
    const bytes = bytesOf(bundle.bytes);
    if (bundle.version !== undefined) kept.push({ version: bundle.version, bytes });
    if (await folder.replace(path, bytes, lock)) changed = true;
  }
  await copies.keep(kept, lock);
  return changed;
}

/**
 * Records the files that the feed has now, and removes files that no feed in the mirror lists any more.
 * @returns how many files were removed
 */
async function tidy(
  { folder, index, lock, record }: Job,
  now: FeedRecord,
  before: FeedRecord["files"],
): Promise<number> {
  const others = await folder.ofOthers(index.feed.name);
  const gone = [...before.keys()].filter((path) => !now.files.has(path) && !others.has(path));
  if (gone.length === 0 && now.index === record.index) return 0;
  const withGone = new Map([...now.files, ...gone.map((path) => [path, undefined] as const)]);
  await folder.write(index.feed.name, { ...now, files: withGone }, lock);
  await lock.assertHeld();
  await folder.remove(gone);
  if (gone.length > 0) await folder.write(index.feed.name, now, lock);
  return gone.length;
}
