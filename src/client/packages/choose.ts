/** Finds the package in verified indexes for `NAME` or `NAME=VERSION`. */

import { didYouMean } from "../../did-you-mean.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { formatOf, formats } from "../../formats/formats.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";

/**
 * Splits `NAME=VERSION`. Only what a checksum file lists may have a `=` in its name: a package that is called `hello=1.0` must not be
 * taken for version 1.0 of `hello`.
 */
function parseRequest(
  request: string,
  indexes: readonly VerifiedIndex[],
): { name: string; version: string | undefined } {
  const equals = request.indexOf("=");
  const lacksVersions = ({ feed }: VerifiedIndex) => formatOf(feed.format).lacksSizes === true;
  const isName = () => indexes.some((index) => lacksVersions(index) && index.packages.find(request).length > 0);
  if (equals < 0 || isName()) return { name: request, version: undefined };
  return { name: request.slice(0, equals), version: request.slice(equals + 1) };
}

function* namesIn(indexes: readonly VerifiedIndex[]): Generator<string> {
  for (const { packages } of indexes) for (const { name } of packages) yield name;
}

/** Nothing was refused: such a package does not exist, or its name is mistyped. */
function notListed(request: string, indexes: readonly VerifiedIndex[]): FeedkeyError {
  const { name } = parseRequest(request, indexes);
  const feeds = indexes.map(({ feed }) => feed.name);
  const versions = [...new Set(indexes.flatMap(({ packages }) => packages.find(name).map(({ version }) => version)))];
  const next = `feeds searched: ${feeds.join(", ")}; if the package is new, run "feedkey update" first`;
  const hint = versions.length > 0 ? `listed are: ${versions.join(", ")}` : didYouMean(name, namesIn(indexes), next);
  return new FeedkeyError("not_found", `no verified index lists package "${escapeText(request)}"`, {
    details: { package: request, feeds },
    hint: escapeText(hint),
  });
}

/**
 * Chooses the newest version that matches, from the first feed of the profile that has it. Versions of feeds of
 * another format can't be compared with it and are left aside.
 * @throws FeedkeyError `not_found`; `usage` if two architectures match
 */
export function choose(request: string, indexes: readonly VerifiedIndex[]): Choice {
  const { name, version } = parseRequest(request, indexes);
  const found = indexes.flatMap((index) => index.find(name, version));
  // Each format has its own order of versions.
  const format = found[0]?.index.feed.format;
  const comparable = found.filter(({ index }) => index.feed.format === format);
  const [best, ...others] = comparable.sort(({ index, entry }, other) => {
    return formats[index.feed.format].compareVersions(other.entry.version, entry.version);
  });
  if (best === undefined) throw notListed(request, indexes);
  const rival = others.find(({ index, entry }) => {
    return (
      index === best.index && entry.version === best.entry.version && entry.architecture !== best.entry.architecture
    );
  });
  if (rival !== undefined) {
    const problem = `package "${escapeText(name)}" ${escapeText(best.entry.version)} is listed for several architectures`;
    throw new FeedkeyError("usage", problem, {
      details: { package: name, architectures: [best.entry.architecture, rival.entry.architecture] },
      hint: "choose the feed of one architecture with --feed",
    });
  }
  return best;
}
