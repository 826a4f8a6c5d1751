/** Use case: list the packages in the last accepted indexes. Asks no server: `fetch` asks for news of keys before it uses them. */
import type { FeedkeyError } from "../../error.ts";
import type { Entry } from "../../formats/entry.ts";
import type { Session } from "../../refresh/session.ts";
import { iso } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { ListOptions } from "../client-options.ts";
import { acceptedIndexes } from "./accepted-indexes.ts";
import { matcher } from "./name-pattern.ts";

/** A package, as the index describes it. */
export interface ListedPackage {
  readonly feed: string;
  readonly name: string;
  readonly version: string;
  /** The package's architecture; empty if the format has no architectures. */
  readonly architecture: string;
  /** The package's path as the index gives it; null if the index gives no path. */
  readonly filename: string | null;
  /** The package's size in bytes; null if the index has no readable size. */
  readonly size: number | null;
  /** The package's SHA-256, lower-case hex; null if the index gives no SHA-256, so that feedkey can't fetch the package. */
  readonly sha256: string | null;
  /** One line about the package; null if the index has no description. */
  readonly description: string | null;
}

/** A feed with the signers of its index and the date of the signature (RFC 3339). */
export interface ListedFeed {
  readonly name: string;
  readonly signedAt: string;
  readonly signers: readonly Fingerprint[];
}

export interface Listed {
  /** The packages, in the order of the feeds and of the entries in each index. */
  readonly packages: readonly ListedPackage[];
  readonly feeds: readonly ListedFeed[];
  readonly errors: readonly FeedkeyError[];
}

/** Returns a function that tells whether each word occurs in an entry's name or description. */
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
 * Lists packages in those stored indexes that the client still accepts.
 * @throws FeedkeyError `usage` if the profile has no feed with one of these names; `not_found` if the client has not accepted
 *   an index yet
 */
export async function listPackages(session: Session, options: ListOptions): Promise<Listed> {
  const { patterns = [], words = [], feeds: names } = options;
  const chosen = chosenFeeds(session.profile, names ?? []);
  const { indexes, errors } = await acceptedIndexes(session, await session.judgeUnchecked(), chosen, false);
  const isWanted = patterns.length === 0 ? () => true : matcher(patterns);
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
