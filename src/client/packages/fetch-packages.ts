/** Use case: fetch the packages that a user requests, with the digests in the feeds' last accepted indexes. */
import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FeedkeyError, orRefusal, tryEach, unlessRefused } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { ensureFolder, syncFolder } from "../../files/folder.ts";
import { StagedStream } from "../../files/staged-stream.ts";
import { removeForsaken } from "../../files/temporary-name.ts";
import { refresh } from "../../refresh/refresh.ts";
import { type Session, withProgress } from "../../refresh/session.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { FetchOptions } from "../client-options.ts";
import { Mirrors } from "../mirrors.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";
import { acceptedIndexes } from "./accepted-indexes.ts";
import { choose, newest } from "./choose.ts";
import { withDependencies } from "./dependencies.ts";
import { type Fetched, fetchPackage, type Target } from "./fetch.ts";
import { withoutReplacing } from "./other-packages.ts";
import { foldedName, OutputNames } from "./output-names.ts";
import { type CacheOptions, PackageCache } from "./package-cache.ts";
import { wantedOf } from "./wanted-file.ts";

/** Groups of packages to fetch in addition to the packages that the user names. */
export interface Wish {
  /** Whether to fetch every version of every package in the feeds. */
  readonly all?: boolean | undefined;
  /** Whether to fetch the newest version of every package in the feeds. */
  readonly latest?: boolean | undefined;
  /** Whether to fetch also the packages' dependencies; a dependency that no feed has is an error. */
  readonly withDependencies?: boolean | undefined;
}

/** Which packages to fetch, and where to write them. */
export interface FetchAllOptions extends FetchOptions, Wish {
  /** The cache from which several runs can take packages that one of them downloaded. */
  readonly cache?: CacheOptions | undefined;
}

/** The fetched packages, in the order of the requests, and the errors for the other packages. */
interface Arrived {
  readonly packages: readonly Fetched[];
  readonly errors: readonly FeedkeyError[];
}

/** The number of simultaneous downloads. Each uses its own connection. Browsers open six to one server too. */
const atOnce = 6;

/** The number of simultaneous downloads from a distant server: there, a small package spends most of its time on round trips. */
const atOnceFar = 10;

/** A server counts as distant if a package of fewer than `small` bytes takes longer than `long` milliseconds. */
const [small, long] = [1024 * 1024, 100];

/**
 * Fetches several packages at the same time, and shows the progress.
 * @param targetOf returns the place to which a package is written
 * @param cache the cache to search before asking a server; receives the downloaded packages
 */
export async function fetchChoices(
  session: Session,
  choices: readonly Choice[],
  targetOf: (choice: Choice) => Target,
  cache?: PackageCache,
): Promise<Arrived> {
  const sources = { mirrors: new Mirrors(session), cache };
  let received = 0;
  return await withProgress(session, "packages", totalOf(choices), (update) => {
    return inParallel(choices, async (choice) => {
      return await fetchPackage(session, choice, targetOf(choice), sources, (count) => {
        received += count;
        update(received);
      });
    });
  });
}

async function inParallel(choices: readonly Choice[], one: (choice: Choice) => Promise<Fetched>): Promise<Arrived> {
  const came: (Fetched | FeedkeyError)[] = [];
  // The workers share one iterator: each worker takes the next package when it is free.
  const queue = choices.entries();
  const workers: Promise<void>[] = [];
  const work = async () => {
    for (const [place, choice] of queue) {
      const began = performance.now();
      came[place] = await orRefusal(() => one(choice));
      const isFar = (choice.entry.size ?? small) < small && performance.now() - began > long;
      if (isFar && workers.length < atOnceFar) start();
    }
  };
  const start = () => {
    const worker = work();
    // The loop below handles a worker's failure.
    worker.catch(() => undefined);
    workers.push(worker);
  };
  while (workers.length < atOnce) start();
  // A worker may start more workers during this loop, so the loop waits for these too.
  for (const worker of workers) await worker;
  const errors = came.filter((one) => one instanceof FeedkeyError);
  return { packages: came.flatMap((one) => (one instanceof FeedkeyError ? [] : one)), errors };
}

/** Returns a package's file name in the output folder; undefined if feedkey will refuse the package. */
function fileNameOf({ entry, index }: Choice): string | undefined {
  return unlessRefused(() => wantedOf(entry, index.feed.format).baseName);
}

/**
 * Drops each package whose file name an earlier package already has, also on file systems that ignore case: a feed's package
 * must not take the file name of another feed's package.
 */
function withoutRivals(choices: readonly Choice[]): { kept: Choice[]; errors: FeedkeyError[] } {
  const taken = new Map<string, Choice>();
  const errors: FeedkeyError[] = [];
  const kept = choices.filter((choice) => {
    const name = fileNameOf(choice);
    if (name === undefined) return true;
    const rival = taken.get(foldedName(name));
    if (rival === undefined) {
      taken.set(foldedName(name), choice);
      return true;
    }
    const isSame = rival.entry.sha256 === choice.entry.sha256 && rival.entry.size === choice.entry.size;
    // Two requests for the same file are not an error.
    if (isSame && fileNameOf(rival) === name) return false;
    const [first, second] = [rival, choice].map(({ index, entry }) => {
      const what = `"${escapeText(entry.name)}" ${escapeText(entry.version)}`.trimEnd();
      return `${what} of feed "${index.feed.name}"`;
    });
    errors.push(
      new FeedkeyError("bad_path", `packages ${first} and ${second} have the same file name, ${escapeText(name)}`, {
        details: { file: name, feeds: [rival.index.feed.name, choice.index.feed.name] },
        hint: "only the first package was fetched: fetch the second with another command, with --feed and another folder",
      }),
    );
    return false;
  });
  return { kept, errors };
}

/** Drops packages whose name the file system treats as the name of another file in the output folder. */
async function withoutOthersNames(
  choices: readonly Choice[],
  folder: string,
): Promise<{ free: Choice[]; errors: FeedkeyError[] }> {
  const names = await OutputNames.of(folder);
  const errors: FeedkeyError[] = [];
  const free = choices.filter((choice) => {
    const name = fileNameOf(choice);
    const problem = name === undefined ? undefined : names.problemWith(name);
    if (problem !== undefined) errors.push(problem);
    return problem === undefined;
  });
  return { free, errors };
}

/** Returns the total size of the packages in bytes; undefined if an index gives no sizes. */
function totalOf(choices: readonly Choice[]): number | undefined {
  const sizes = choices.map(({ entry }) => entry.size).filter((size) => size !== undefined);
  return sizes.length < choices.length ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

function* everyOf(indexes: readonly VerifiedIndex[]): Generator<Choice> {
  for (const index of indexes) yield* index.choices();
}

/** Returns the packages in the indexes that match the requests, and an error for each request that no package matches. */
export async function choicesOf(requests: readonly string[], wish: Wish, indexes: readonly VerifiedIndex[]) {
  const { good, errors } = await tryEach(requests, (request) => choose(request, indexes));
  if (wish.latest === true) good.push(newest(everyOf(indexes)));
  if (wish.all === true) good.push([...everyOf(indexes)]);
  const choices = good.flat();
  if (wish.withDependencies !== true) return { choices, errors };
  const complete = await withDependencies(choices, indexes);
  return { choices: complete.choices, errors: [...errors, ...complete.errors] };
}

/**
 * Asks servers for news of keys, then fetches the requested packages. If feedkey refuses a package, it still fetches the others.
 * @param requests each `NAME` or `NAME=VERSION`, with or without wildcards
 * @throws FeedkeyError `usage` if the profile has no feed with one of these names; `not_found` if the client has not accepted
 *   an index yet; `output` if feedkey can't write to the folder
 */
export async function fetchPackages(
  session: Session,
  requests: readonly string[],
  wish: FetchAllOptions,
): Promise<Arrived> {
  const feeds = chosenFeeds(session.profile, wish.feeds ?? []);
  const each = wish.all === true || wish.latest === true || wish.feeds !== undefined;
  const judged = await refresh(session);
  const { indexes, errors: refused } = await acceptedIndexes(session, judged, feeds, each);
  if (indexes.length === 0) return { packages: [], errors: refused };
  const { choices, errors: unlisted } = await choicesOf(requests, wish, indexes);
  const { kept, errors: rivals } = withoutRivals(choices);
  const folder = resolve(wish.folder);
  await ensureFolder(folder, 0o755);
  await removeForsaken(folder);
  const named = await withoutOthersNames(kept, folder);
  const { free, errors: occupied } = await withoutReplacing(named.free, folder, async () => {
    const isAll = feeds.length === session.profile.feeds.length;
    return isAll ? indexes : (await acceptedIndexes(session, judged, session.profile.feeds, false)).indexes;
  });
  // From here on, feedkey uses the folder's real path: a symbolic link that somebody later puts in its place has no effect.
  const real = await realpath(folder);
  const targetOf = ({ entry, index }: Choice): Target => {
    const { baseName } = wantedOf(entry, index.feed.format);
    return {
      path: join(folder, baseName),
      open: () => StagedStream.open(join(real, baseName)),
      settle: (file) => file.commit({ syncLater: true }),
    };
  };
  const cache = wish.cache && (await PackageCache.open(wish.cache, session.options.reporter));
  const { packages, errors } = await fetchChoices(session, free, targetOf, cache);
  await cache?.trim();
  if (packages.some(({ present }) => !present)) await syncFolder(folder);
  return { packages, errors: [...refused, ...unlisted, ...rivals, ...named.errors, ...occupied, ...errors] };
}
