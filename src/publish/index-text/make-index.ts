/** The index of scanned packages: its texts are written to files as it is made, since there may be many. */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Spool, Spools } from "../../files/spool.ts";
import { formatOf } from "../../formats/formats.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { WrittenFeed } from "../../profile/types.ts";
import { packageUrl } from "../../trust/package-path.ts";
import type { StanzaParts } from "../feed-layout.ts";
import { layoutOf } from "../feed-layouts.ts";
import { refuseUnreadable } from "../readable-index.ts";
import type { ScannedPackage } from "../scan/scan.ts";
import type { ScanTable } from "../scan/scan-table.ts";
import { runSize } from "./index-changes.ts";
import { refuseLarge } from "./index-forms.ts";
import { stanzaRuns } from "./stanza-runs.ts";

/** Path of a package in the index: relative to the feed if it is in it, else to the archive. */
export function indexPath(feed: WrittenFeed, path: string): string {
  const inRoot = feed.packages === "" ? path : `${feed.packages}/${path}`;
  const base = baseOf(feed);
  if (base === "") return inRoot;
  return inRoot.startsWith(`${base}/`) ? inRoot.slice(base.length + 1) : inRoot;
}

function baseOf(feed: WrittenFeed): string {
  return layoutOf(feed).baseOf?.(feed) ?? feed.path;
}

/** What packages were made into. */
export interface MadeIndex {
  /** Of its lists, by name. */
  readonly texts: ReadonlyMap<string, HashedDocument>;
  readonly packages: number;
  /** Why packages are left out: their control data can't be written into an index, or their paths. */
  readonly bad: readonly FeedkeyError[];
}

/**
 * Makes the index of the packages of a table: sorted by name, version, architecture and path, so that the same packages give the
 * same bytes.
 * @throws FeedkeyError `bad_package`: two packages are the same; `bad_index`: no client would take it; `output`
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

/** The stanza of a package, or why it can't be listed. */
function stanzaOf(feed: WrittenFeed, one: ScannedPackage): (StanzaParts & { readonly path: string }) | FeedkeyError {
  try {
    const path = indexPath(feed, one.path);
    refusePath(feed, path);
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

/** An index that clients refuse must never be published: it is read as they will read it. */
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

/** T12: what clients would refuse to fetch is not published. @throws FeedkeyError `bad_path` */
function refusePath(feed: WrittenFeed, path: string): void {
  const place = packageUrl("https://archive.invalid/", baseOf(feed), path);
  if (!("code" in place)) return;
  throw new FeedkeyError(place.code, `clients would refuse it: ${escapeText(place.reason)}`, {
    hint: "rename the file, then publish again",
  });
}

/** Two files of one name, version and architecture: clients could get either (T13). */
function refuseTwins(last: ScannedPackage | undefined, one: ScannedPackage): void {
  if (last?.name !== one.name || last.version !== one.version || last.architecture !== one.architecture) return;
  const what = `${one.name} ${one.version} ${one.architecture}`;
  throw new FeedkeyError(
    "bad_package",
    `two packages are both ${escapeText(what)}: ${escapeText(last.path)} and ${escapeText(one.path)}`,
    {
      details: { paths: [last.path, one.path] },
      hint: "remove one of them: clients must never have to guess",
    },
  );
}
