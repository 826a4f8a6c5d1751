/** Finds the packages in verified indexes that match `NAME` or `NAME=VERSION`. Both `NAME` and `VERSION` may have wildcards. */

import { didYouMean } from "../../did-you-mean.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { formats } from "../../formats/formats.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";
import { lacksSizes } from "./listed-file.ts";
import { isPattern, matcher } from "./name-pattern.ts";

interface Request {
  readonly name: string;
  readonly version: string | undefined;
  /** Whether the name or the version has wildcards. */
  readonly isPattern: boolean;
}

/**
 * Splits `NAME=VERSION`. If a checksum file lists a file with exactly the requested name, then `=` and wildcards are part of
 * this name. In other formats, a package called `hello=1.0` must not pass for version 1.0 of `hello`.
 */
function parseRequest(request: string, indexes: readonly VerifiedIndex[]): Request {
  const equals = request.indexOf("=");
  const isName = indexes.some((index) => lacksSizes(index) && index.packages.find(request).length > 0);
  if (equals < 0 || isName) return { name: request, version: undefined, isPattern: !isName && isPattern(request) };
  return { name: request.slice(0, equals), version: request.slice(equals + 1), isPattern: isPattern(request) };
}

function* namesIn(indexes: readonly VerifiedIndex[]): Generator<string> {
  for (const { packages } of indexes) for (const { name } of packages) yield name;
}

/** Makes the error for a request that matches no package. The hint lists other versions of the package, or similar names. */
function notListed(request: string, indexes: readonly VerifiedIndex[]): FeedkeyError {
  const { name } = parseRequest(request, indexes);
  const feeds = indexes.map(({ feed }) => feed.name);
  const versions = [...new Set(indexes.flatMap(({ packages }) => packages.find(name).map(({ version }) => version)))];
  const next = `feeds searched: ${feeds.join(", ")}; if the package is new, run "feedkey update" first`;
  const hint =
    versions.length > 0
      ? `the indexes list these versions: ${versions.join(", ")}`
      : didYouMean(name, namesIn(indexes), next);
  return new FeedkeyError("not_found", `no verified index lists package "${escapeText(request)}"`, {
    details: { package: request, feeds },
    hint: escapeText(hint),
  });
}

/**
 * Returns the newest version for each name and architecture; if several feeds have this version, from the first feed. Versions
 * in different formats can't be compared, so only feeds count that have the format of the first feed with the package.
 */
export function newest(choices: Iterable<Choice>): Choice[] {
  const best = new Map<string, Choice>();
  for (const choice of choices) {
    const { name, architecture, version } = choice.entry;
    const key = `${name}\0${architecture}`;
    const rival = best.get(key);
    const { format } = (rival ?? choice).index.feed;
    if (format !== choice.index.feed.format) continue;
    if (rival === undefined || formats[format].compareVersions(version, rival.entry.version) > 0) best.set(key, choice);
  }
  return [...best.values()];
}

/**
 * Returns all packages that match a request with wildcards; if the request names no version, only the newest version of each
 * package.
 */
function matching({ name, version }: Request, indexes: readonly VerifiedIndex[]): Choice[] {
  const isWanted = matcher([name]);
  const named = indexes.flatMap((index) => [...index.choices(({ name }) => isWanted(name))]);
  if (version === undefined) return newest(named);
  const isVersion = matcher([version]);
  return named.filter(({ entry }) => isVersion(entry.version));
}

/**
 * Chooses the newest version of the named package, from the first feed in the profile that has this version. If the name has
 * wildcards, chooses the newest version of each matching package; if the version has wildcards, every matching version.
 * @throws FeedkeyError `not_found`; `usage` if a name without wildcards means packages for two architectures
 */
export function choose(request: string, indexes: readonly VerifiedIndex[]): Choice[] {
  const parsed = parseRequest(request, indexes);
  const { name, version } = parsed;
  const found = parsed.isPattern
    ? matching(parsed, indexes)
    : newest(indexes.flatMap((index) => index.find(name, version)));
  const [first] = found;
  if (first === undefined) throw notListed(request, indexes);
  if (parsed.isPattern) return found;
  const { compareVersions } = formats[first.index.feed.format];
  // A package may have changed from one architecture for all machines to several: then only the newest version counts.
  const [best = first, rival] = found.sort((a, b) => compareVersions(b.entry.version, a.entry.version));
  if (rival?.index === best.index && rival.entry.version === best.entry.version)
    throw severalArchitectures(best, rival);
  return [best];
}

function severalArchitectures({ entry }: Choice, rival: Choice): FeedkeyError {
  const problem = `package "${escapeText(entry.name)}" ${escapeText(entry.version)} is listed for several architectures`;
  return new FeedkeyError("usage", problem, {
    details: { package: entry.name, architectures: [entry.architecture, rival.entry.architecture] },
    hint: 'with --feed, choose a feed that has only one architecture; if no feed has, add a feed with a line "architectures" to the profile',
  });
}
