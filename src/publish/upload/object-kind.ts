/** Sorts objects into kinds. The kind determines when feedkey uploads an object, and how long caches may keep the object. */
import { basename, dirname, extname, join } from "node:path";
import { formatOf } from "../../formats/formats.ts";
import { bundlePath } from "../../profile/layout.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import { filesOf, signaturesOf } from "../feed-layouts.ts";

/** The kinds in the order of upload. feedkey uploads each object after the objects to which it refers. */
export const kinds = ["package", "bundle", "list", "root", "signature"] as const;
export type ObjectKind = (typeof kinds)[number];

/** Whether a file's name is the file's digest. If so, the contents never change. */
function isNamedByDigest(path: string): boolean {
  return /^[0-9a-f]{32,128}(?![^.-])/.test(basename(path));
}

/**
 * Returns a function that returns the kind of a file.
 * @param paths the paths of all files, including files that no longer exist
 */
export function kindsOf(paths: readonly string[], feeds: readonly ArchiveFeed[]): (path: string) => ObjectKind {
  const places = feeds.map((feed) => {
    const { packageName, signing } = formatOf(feed.format);
    const isList = (path: string) =>
      (feed.path === "" || path.startsWith(`${feed.path}/`)) &&
      !isNamedByDigest(path) &&
      !packageName.test(basename(path));
    const [root = "", ...signatures] = filesOf(feed).map((name) => join(feed.path, name));
    // The archive may also have signed other compressed forms of the index.
    const others = paths
      .filter((path) => isList(path) && join(feed.path, basename(path)) === path)
      .map((path) => basename(path));
    const signed = others.filter((name) => signing?.isRoot(name) !== false);
    const ofOthers = signed.flatMap((name) => signaturesOf(feed, name)).map(({ name }) => join(feed.path, name));
    return { isList, root, signatures: new Set([...signatures, ...ofOthers]) };
  });
  return (path) => {
    // The trust page, in the bundle's folder, counts as part of the bundle.
    if (dirname(path) === dirname(bundlePath)) return "bundle";
    if (places.some(({ signatures }) => signatures.has(path))) return "signature";
    if (places.some(({ root }) => root === path)) return "root";
    return places.some(({ isList }) => isList(path)) ? "list" : "package";
  };
}

/** The content types for files that browsers show. Package managers ignore the type. */
const types: Readonly<Record<string, string>> = {
  ".asc": "text/plain; charset=us-ascii",
  ".html": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "application/xml",
};

const day = 86_400;

/**
 * Returns the headers of an object. Caches must check a changeable file with the server before each use. Otherwise a cache could return an
 * old index with a new signature. Caches may keep a package for a day. If a package is built again with the same name, clients get the
 * new package after at most a day.
 */
export function headersOf(path: string, kind: ObjectKind): Record<string, string> {
  const usual = kind === "package" || extname(path) !== "" ? "application/octet-stream" : "text/plain; charset=utf-8";
  const age = isNamedByDigest(path) ? `max-age=${365 * day}, immutable` : `max-age=${day}`;
  return {
    "content-type": types[extname(path)] ?? usual,
    "cache-control": kind === "package" ? `public, ${age}` : "no-cache",
  };
}
