/** Use case: the packages that somebody asks for, from the feeds' indexes as they were last accepted. */
import { resolve } from "node:path";
import { FeedkeyError, orRefusal, tryEach } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { removeForsaken } from "../../files/atomic.ts";
import { ensureFolder } from "../../files/folder.ts";
import { refresh } from "../../refresh/refresh.ts";
import { type Session, withProgress } from "../../refresh/session.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { FetchOptions } from "../client-options.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";
import { acceptedIndexes } from "./accepted-indexes.ts";
import { choose } from "./choose.ts";
import { type Fetched, fetchPackage, wantedOf } from "./fetch.ts";
import { foldedName, OutputNames } from "./output-names.ts";

/** What is wanted of the packages, and where they go. */
export interface Wish extends FetchOptions {
  /** Every package of the feeds too. */
  readonly all?: boolean | undefined;
}

/** What came, in the order of the requests, and why the rest did not. */
export interface Arrived {
  readonly packages: readonly Fetched[];
  readonly errors: readonly FeedkeyError[];
}

/** Downloads under way at once: enough to hide latency, few enough to be polite. */
const atOnce = 4;

async function fetchAll(choices: readonly Choice[], one: (choice: Choice) => Promise<Fetched>): Promise<Arrived> {
  const came: (Fetched | FeedkeyError)[] = [];
  // The workers share one iterator: each takes the next when it is free.
  const queue = choices.entries();
  const work = async () => {
    for (const [place, choice] of queue) came[place] = await orRefusal(() => one(choice));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const errors = came.filter((one) => one instanceof FeedkeyError);
  return { packages: came.flatMap((one) => (one instanceof FeedkeyError ? [] : one)), errors };
}

/** Name under which a package gets into the output folder; undefined if it is going to be refused. */
function targetOf({ entry, index }: Choice): string | undefined {
  try {
    return wantedOf(entry, index.feed.format).baseName;
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/**
 * Drops packages that would replace another one in the output folder, also on file systems that ignore case: a feed must not
 * put its own package under the file name of another feed's.
 */
function withoutRivals(choices: readonly Choice[]): { kept: Choice[]; errors: FeedkeyError[] } {
  const taken = new Map<string, Choice>();
  const errors: FeedkeyError[] = [];
  const kept = choices.filter((choice) => {
    const name = targetOf(choice);
    if (name === undefined) return true;
    const rival = taken.get(foldedName(name));
    if (rival === undefined) {
      taken.set(foldedName(name), choice);
      return true;
    }
    const isSame = rival.entry.sha256 === choice.entry.sha256 && rival.entry.size === choice.entry.size;
    // The same file twice counts once.
    if (isSame && targetOf(rival) === name) return false;
    const [first, second] = [rival, choice].map(({ index, entry }) => {
      const what = `"${escapeText(entry.name)}" ${escapeText(entry.version)}`.trimEnd();
      return `${what} of feed "${index.feed.name}"`;
    });
    errors.push(
      new FeedkeyError("bad_path", `packages ${first} and ${second} have one file name, ${escapeText(name)}`, {
        details: { file: name, feeds: [rival.index.feed.name, choice.index.feed.name] },
        hint: "only the first was fetched: fetch the other into another folder, with --feed",
      }),
    );
    return false;
  });
  return { kept, errors };
}

/** Drops packages whose names another file in the output folder has. */
async function withoutOthersNames(
  choices: readonly Choice[],
  folder: string,
): Promise<{ free: Choice[]; errors: FeedkeyError[] }> {
  const names = await OutputNames.of(folder);
  const errors: FeedkeyError[] = [];
  const free = choices.filter((choice) => {
    const name = targetOf(choice);
    const problem = name === undefined ? undefined : names.problemWith(name);
    if (problem !== undefined) errors.push(problem);
    return problem === undefined;
  });
  return { free, errors };
}

/** Bytes of all of them; undefined if an index gives no sizes. */
function totalOf(choices: readonly Choice[]): number | undefined {
  const sizes = choices.map(({ entry }) => entry.size).filter((size) => size !== undefined);
  return sizes.length < choices.length ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

/** The choices that the requests and `all` make among the indexes. */
async function choicesOf(requests: readonly string[], all: boolean | undefined, indexes: readonly VerifiedIndex[]) {
  const { good: choices, errors } = await tryEach(requests, (request) => choose(request, indexes));
  if (all === true) for (const index of indexes) for (const choice of index.choices()) choices.push(choice);
  return { choices, errors };
}

/**
 * Asks for news of keys, then fetches the wanted packages; a refused one does not stop the others.
 * @param requests `NAME` or `NAME=VERSION` each
 * @throws FeedkeyError `usage` for a feed that the profile does not have, `not_found` if no index has been accepted yet, `output`
 */
export async function fetchPackages(session: Session, requests: readonly string[], wish: Wish): Promise<Arrived> {
  const feeds = chosenFeeds(session.profile, wish.feeds ?? []);
  const each = wish.all === true || wish.feeds !== undefined;
  const { indexes, errors: refused } = await acceptedIndexes(session, await refresh(session), feeds, each);
  if (indexes.length === 0) return { packages: [], errors: refused };
  const { choices, errors: unlisted } = await choicesOf(requests, wish.all, indexes);
  const { kept, errors: rivals } = withoutRivals(choices);
  const folder = resolve(wish.folder);
  await ensureFolder(folder, 0o755);
  await removeForsaken(folder);
  const { free, errors: taken } = await withoutOthersNames(kept, folder);
  let received = 0;
  const { packages, errors } = await withProgress(session, "packages", totalOf(free), (update) => {
    return fetchAll(free, (choice) => {
      return fetchPackage(session, choice, folder, (count) => {
        received += count;
        update(received);
      });
    });
  });
  return { packages, errors: [...refused, ...unlisted, ...rivals, ...taken, ...errors] };
}
