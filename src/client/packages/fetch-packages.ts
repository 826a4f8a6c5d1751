/** Use case: fetch the packages that somebody asks for, as the feeds' last accepted indexes list them. */
import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FeedkeyError, orRefusal, tryEach } from "../../error.ts";
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

/** Packages to fetch in addition to the named packages. */
export interface Wish {
  /** Whether to fetch every package in the feeds, in every version. */
  readonly all?: boolean | undefined;
  /** Whether to fetch every package in the feeds in its newest version. */
  readonly latest?: boolean | undefined;
  /** Whether to fetch also those dependencies that the feeds have. */
  readonly withDependencies?: boolean | undefined;
}

/** Which packages to fetch, and where to write them. */
export interface FetchAllOptions extends FetchOptions, Wish {
  /** A folder of fetched packages that several runs share. */
  readonly cache?: CacheOptions | undefined;
}

/** The fetched packages, in the order of the requests, and the errors for the other packages. */
interface Arrived {
  readonly packages: readonly Fetched[];
  readonly errors: readonly FeedkeyError[];
}

/** Number of simultaneous downloads, each over its own connection: enough to hide latency, without overloading the server. */
const atOnce = 4;

/** Number of simultaneous downloads from a distant host, where small packages mostly wait for round trips. */
const atOnceFar = 10;

/** A host is distant if a package of fewer than this many bytes takes longer than this many milliseconds. */
const [small, long] = [1024 * 1024, 100];

/**
 * Fetches several packages at the same time, and shows the progress.
 * @param targetOf gives the path of each package
 * @param cache is searched before the servers are asked, and gets the new packages
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
    // The worker's failure is handled below.
    worker.catch(() => undefined);
    workers.push(worker);
  };
  while (workers.length < atOnce) start();
  // More workers may join during this loop.
  for (const worker of workers) await worker;
  const errors = came.filter((one) => one instanceof FeedkeyError);
  return { packages: came.flatMap((one) => (one instanceof FeedkeyError ? [] : one)), errors };
}

/** Returns the name of a package in the output folder; undefined if the package will be refused. */
function fileNameOf({ entry, index }: Choice): string | undefined {
  try {
    return wantedOf(entry, index.feed.format).baseName;
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/**
 * Drops packages whose file name another package has, also on file systems that ignore case: a feed must not put its own
 * package under the file name of another feed's package.
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
    // One file that is requested twice counts once.
    if (isSame && fileNameOf(rival) === name) return false;
    const [first, second] = [rival, choice].map(({ index, entry }) => {
      const what = `"${escapeText(entry.name)}" ${escapeText(entry.version)}`.trimEnd();
      return `${what} of feed "${index.feed.name}"`;
    });
    errors.push(
      new FeedkeyError("bad_path", `packages ${first} and ${second} have the same file name, ${escapeText(name)}`, {
        details: { file: name, feeds: [rival.index.feed.name, choice.index.feed.name] },
        hint: "only the first was fetched: fetch the second by another command, with --feed and another folder",
      }),
    );
    return false;
  });
  return { kept, errors };
}

/** Drops packages whose names other files in the output folder already have. */
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

/** Returns the size in bytes of all packages together; undefined if an index gives no sizes. */
function totalOf(choices: readonly Choice[]): number | undefined {
  const sizes = choices.map(({ entry }) => entry.size).filter((size) => size !== undefined);
  return sizes.length < choices.length ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

function* everyOf(indexes: readonly VerifiedIndex[]): Generator<Choice> {
  for (const index of indexes) yield* index.choices();
}

/** Returns the packages that the requests select in the indexes, and the errors for requests without a result. */
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
 * Asks for news of keys, then fetches the wanted packages. A refused package does not stop the others.
 * @param requests `NAME` or `NAME=VERSION` each, also with wildcards
 * @throws FeedkeyError `usage` if the profile does not have a feed; `not_found` if no index has been accepted yet; `output` if
 *   the folder can't be written
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
  // From here on only the real folder is used, so a link that someone puts in its place later has no effect.
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
