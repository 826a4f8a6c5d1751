/** Builds the index of scanned packages. Writes the texts into temporary files, because an index may be too large for memory. */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Spool, Spools } from "../../files/spool.ts";
import { formatOf } from "../../formats/formats.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { WrittenFeed } from "../../profile/types.ts";
import { packagePath } from "../../trust/package-path.ts";
import type { StanzaParts } from "../feed-layout.ts";
import { layoutOf } from "../feed-layouts.ts";
import { refuseUnreadable } from "../readable-index.ts";
import type { ScannedPackage } from "../scan/scan.ts";
import type { ScanTable } from "../scan/scan-table.ts";
import { runSize } from "./index-changes.ts";
import { refuseLarge } from "./index-forms.ts";
import { stanzaRuns } from "./stanza-runs.ts";

/**
 * Returns a package's path in the index. The path is relative to the feed's folder if the package is below this folder, else relative to
 * the archive.
 */
export function indexPath(feed: WrittenFeed, path: string): string {
  const inRoot = feed.packages === "" ? path : `${feed.packages}/${path}`;
  const base = baseOf(feed);
  if (base === "") return inRoot;
  return inRoot.startsWith(`${base}/`) ? inRoot.slice(base.length + 1) : inRoot;
}

function baseOf(feed: WrittenFeed): string {
  return layoutOf(feed).baseOf?.(feed) ?? feed.path;
}

/** An index that feedkey has built from packages. */
export interface MadeIndex {
  /** The texts of the index's package lists, by name. */
  readonly texts: ReadonlyMap<string, HashedDocument>;
  readonly packages: number;
  /** For each package that the index can't contain, an error with the reason. */
  readonly bad: readonly FeedkeyError[];
}

/**
 * Builds an index of the packages in a table. Sorts the packages by name, version, architecture and path, so that the same packages give
 * the same bytes.
 * @throws FeedkeyError `bad_package` if two packages have the same name, version and architecture; `bad_index` if no client would accept
 * the index; `output` if feedkey can't write a temporary file
 */
export function makeIndex(feed: WrittenFeed, table: ScanTable, spools: Spools): MadeIndex {
  const { listsOf, listedIn } = layoutOf(feed);
  const only = [formatOf(feed.format).index];
  const lists = new Map((listsOf?.(feed) ?? only).map((name) => [name, spools.make()]));
  const bad: FeedkeyError[] = [];
  let packages = 0;
  let last: ScannedPackage | undefined;
  for (const row of sortedRows(feed, table)) {
    const one = table.at(row);
    const stanza = stanzaOf(feed, one);
    if (stanza instanceof FeedkeyError) {
      bad.push(stanza);
      continue;
    }
    refuseTwins(last, one);
    for (const name of listedIn?.(one, stanza.path, feed) ?? only) {
      const spool = lists.get(name);
      spool?.write(stanza.own);
      spool?.writeText(`${stanza.added}\n`);
      refuseLarge(whatOf(feed, name), spool?.length ?? 0);
    }
    packages += 1;
    last = one;
  }
  const texts = new Map([...lists].map(([name, spool]) => [name, checkedText(feed, name, spool)]));
  return { texts, packages, bad: bad.sort((a, b) => byText(String(a.details.path), String(b.details.path))) };
}

/** Returns a package's stanza, or the reason why the index can't list the package. */
function stanzaOf(feed: WrittenFeed, one: ScannedPackage): (StanzaParts & { readonly path: string }) | FeedkeyError {
  try {
    const path = indexPath(feed, one.path);
    refusePath(path);
    return { path, ...layoutOf(feed).stanzaOf(one, path, feed) };
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    return new FeedkeyError(cause.code, `package ${escapeText(one.path)}: ${cause.message}`, {
      details: { ...cause.details, path: one.path },
      cause,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}

function sortedRows(feed: WrittenFeed, { names, versions, architectures, found, rows }: ScanTable): number[] {
  const { compareVersions } = layoutOf(feed);
  const by = (column: readonly string[], a: number, b: number) => byText(column[a] ?? "", column[b] ?? "");
  return rows.sort(
    (a, b) =>
      by(names, a, b) ||
      compareVersions(versions[a] ?? "", versions[b] ?? "") ||
      by(versions, a, b) ||
      by(architectures, a, b) ||
      by(found.paths, a, b),
  );
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const whatOf = ({ name }: WrittenFeed, list: string) => `the list ${list} of feed "${name}"`;

/** Completes a list's text, and reads the text like a client. feedkey must never publish an index that clients refuse. */
function checkedText(feed: WrittenFeed, name: string, spool: Spool): HashedDocument {
  const hash = createHash("sha256");
  function* hashed(): Generator<Buffer, void> {
    for (const run of stanzaRuns(spool.pieces(), runSize)) {
      hash.update(run);
      yield run;
    }
  }
  const hint = "check the control data of the package in that line, or report a bug";
  refuseUnreadable(whatOf(feed, name), hint, () => layoutOf(feed).check(hashed()));
  return new HashedDocument(spool, hash);
}

/**
 * Throws if clients would refuse to download a package from this path (T12).
 * @throws FeedkeyError `bad_path`
 */
function refusePath(path: string): void {
  const place = packagePath(path);
  if (!("code" in place)) return;
  throw new FeedkeyError(place.code, `clients would refuse the package: ${escapeText(place.reason)}`, {
    hint: "rename the file, then publish again",
  });
}

/** Throws if two package files have the same name, version and architecture, because a client could then get either file (T13). */
function refuseTwins(last: ScannedPackage | undefined, one: ScannedPackage): void {
  if (last?.name !== one.name || last.version !== one.version || last.architecture !== one.architecture) return;
  const what = `${one.name} ${one.version} ${one.architecture}`;
  throw new FeedkeyError(
    "bad_package",
    `two packages are both ${escapeText(what)}: ${escapeText(last.path)} and ${escapeText(one.path)}`,
    {
      details: { paths: [last.path, one.path] },
      hint: "remove one of these packages: clients could not know which package to install",
    },
  );
}
