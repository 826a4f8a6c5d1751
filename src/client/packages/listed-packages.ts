/** Use case: what the last accepted indexes list. Asks nobody; `fetch` asks for news of keys before it takes a package. */
import type { FeedkeyError } from "../../error.ts";
import type { Entry } from "../../formats/entry.ts";
import type { Session } from "../../refresh/session.ts";
import { iso } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { ListOptions } from "../client-options.ts";
import { acceptedIndexes } from "./accepted-indexes.ts";

/** A package as an index lists it. */
export interface ListedPackage {
  readonly feed: string;
  readonly name: string;
  readonly version: string;
  /** Empty where the format has none. */
  readonly architecture: string;
  /** Its path as the index gives it; null if the index has none. */
  readonly filename: string | null;
  /** Bytes; null if the index has no readable size. */
  readonly size: number | null;
  /** Lower-case hex; null if the index has none: the package can't be fetched. */
  readonly sha256: string | null;
  /** One line about it; null if the index has none. */
  readonly description: string | null;
}

/** Who signed an index that lists packages, and when (RFC 3339). */
export interface ListedFeed {
  readonly name: string;
  readonly signedAt: string;
  readonly signers: readonly Fingerprint[];
}

export interface Listed {
  /** In the order of the feeds and of their indexes. */
  readonly packages: readonly ListedPackage[];
  readonly feeds: readonly ListedFeed[];
  readonly errors: readonly FeedkeyError[];
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true;
  const exact = new Set(patterns.filter((pattern) => !/[*?]/.test(pattern)));
  // As literal runs between stars, since a regular expression with many stars takes time without end.
  const globs = patterns.filter((pattern) => !exact.has(pattern)).map((pattern) => pattern.split(/\*+/));
  return (name) => exact.has(name) || globs.some((glob) => matchesGlob(name, glob));
}

/** Whether the text starts with the first run, ends with the last, and has the others between, in this order. */
function matchesGlob(text: string, runs: readonly string[]): boolean {
  const [first = "", ...rest] = runs;
  const last = rest.pop();
  if (!isAt(text, 0, first)) return false;
  if (last === undefined) return text.length === first.length;
  const end = text.length - last.length;
  if (end < first.length || !isAt(text, end, last)) return false;
  let at = first.length;
  for (const run of rest) {
    while (at + run.length <= end && !isAt(text, at, run)) at++;
    if (at + run.length > end) return false;
    at += run.length;
  }
  return true;
}

/** Whether the run is at this place of the text; `?` stands for any letter. */
function isAt(text: string, at: number, run: string): boolean {
  for (let i = 0; i < run.length; i++) if (run[i] !== "?" && run[i] !== text[at + i]) return false;
  return true;
}

/** Whether each word is in the name or the description. */
function finder(words: readonly string[]): (entry: Entry) => boolean {
  const wanted = words.map((word) => word.toLowerCase());
  return ({ name, description = "" }) => {
    const [inName, inText] = [name.toLowerCase(), description.toLowerCase()];
    return wanted.every((word) => inName.includes(word) || inText.includes(word));
  };
}

function listed(feed: string, { name, version, architecture, ...file }: Entry): ListedPackage {
  const [filename, size, sha256] = [file.filename ?? null, file.size ?? null, file.sha256 ?? null];
  return { feed, name, version, architecture, filename, size, sha256, description: file.description ?? null };
}

/**
 * Lists packages of the indexes that are still good by all that is known.
 * @throws FeedkeyError `usage` for a feed that the profile does not have, `not_found` if no index has been accepted yet
 */
export async function listPackages(session: Session, options: ListOptions): Promise<Listed> {
  const { patterns = [], words = [], feeds: names } = options;
  const chosen = chosenFeeds(session.profile, names ?? []);
  const { indexes, errors } = await acceptedIndexes(session, await session.judgeUnchecked(), chosen, false);
  const isWanted = matcher(patterns);
  const isFound = finder(words);
  const packages: ListedPackage[] = [];
  for (const { feed, packages: all } of indexes) {
    for (const entry of all) if (isWanted(entry.name) && isFound(entry)) packages.push(listed(feed.name, entry));
  }
  const feeds = indexes.map(({ feed, createdAt, signers }) => {
    return { name: feed.name, signedAt: iso(createdAt), signers: signers.map(({ certificate }) => certificate) };
  });
  return { packages, feeds, errors };
}
