/** Use case: list the packages of the last accepted indexes. Asks no server; `fetch` asks for news of keys first. */
import type { FeedkeyError } from "../../error.ts";
import type { Entry } from "../../formats/entry.ts";
import type { Session } from "../../refresh/session.ts";
import { iso } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { ListOptions } from "../client-options.ts";
import { acceptedIndexes } from "./accepted-indexes.ts";
import { matcher } from "./name-pattern.ts";

/** A package as an index lists it. */
export interface ListedPackage {
  readonly feed: string;
  readonly name: string;
  readonly version: string;
  /** Empty if the format has none. */
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
 * Lists packages of the indexes that are still accepted.
 * @throws FeedkeyError `usage` for a feed that the profile does not have, `not_found` if no index has been accepted yet
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
