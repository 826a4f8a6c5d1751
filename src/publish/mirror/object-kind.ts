/** What an object is to clients. This determines when it is uploaded, and for how long it may be cached. */
import { basename, dirname, extname, join } from "node:path";
import { formatOf } from "../../formats/formats.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import { bundleFiles } from "../../signing/published-bundle.ts";
import { filesOf, rootOf, signaturesOf } from "../feed-layouts.ts";

/** The kinds in the order of upload: later objects refer to objects that are already uploaded. */
export const kinds = ["package", "bundle", "list", "root", "signature"] as const;
export type ObjectKind = (typeof kinds)[number];

export interface Classified {
  readonly kind: ObjectKind;
  /** The files that a detached signature covers; empty for other objects. */
  readonly signs: readonly string[];
}

/** Tells whether a file is named by its digest, so that it never changes. */
function isNamedByDigest(path: string): boolean {
  return /^[0-9a-f]{32,128}(?![^.-])/.test(basename(path));
}

/** Finds the kind of each file, whether the file exists now or existed before. */
export function classify(paths: Iterable<string>, feeds: readonly ArchiveFeed[]): Map<string, Classified> {
  const all = new Map<string, Classified>([...paths].map((path) => [path, { kind: "package", signs: [] }]));
  for (const [path] of all) {
    if (isNamedByDigest(path)) continue;
    const isOurs = (feed: ArchiveFeed) => {
      const { packageName } = formatOf(feed.format);
      return (feed.path === "" || path.startsWith(`${feed.path}/`)) && !packageName.test(basename(path));
    };
    if (feeds.some(isOurs)) all.set(path, { kind: "list", signs: [] });
  }
  for (const feed of feeds) {
    const signsAsRoot = formatOf(feed.format).signing?.isRoot;
    for (const name of filesOf(feed)) {
      const path = join(feed.path, name);
      if (all.has(path)) all.set(path, { kind: name === rootOf(feed).signed ? "root" : "signature", signs: [] });
    }
    for (const path of [...all.keys()].filter((one) => folderOf(one) === feed.path)) {
      const name = basename(path);
      if (all.get(path)?.kind === "package" || signsAsRoot?.(name) === false) continue;
      for (const { name: own, holds } of signaturesOf(feed, name)) {
        const signature = join(feed.path, own);
        const known = all.get(signature);
        if (known === undefined || own === name) continue;
        const signs = holds === "framed" ? known.signs : [...known.signs, path];
        all.set(signature, { kind: "signature", signs });
      }
    }
  }
  for (const path of bundleFiles) if (all.has(path)) all.set(path, { kind: "bundle", signs: [] });
  return all;
}

function folderOf(path: string): string {
  return dirname(path).replace(/^\.$/, "");
}

const types: Readonly<Record<string, string>> = {
  ".asc": "text/plain; charset=us-ascii",
  ".bz2": "application/x-bzip2",
  ".deb": "application/vnd.debian.binary-package",
  ".gpg": "application/pgp-signature",
  ".gz": "application/gzip",
  ".html": "text/html; charset=utf-8",
  ".pgp": "application/pgp-keys",
  ".rpm": "application/x-rpm",
  ".sig": "application/pgp-signature",
  ".tgz": "application/gzip",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "application/xml",
  ".xz": "application/x-xz",
  ".zst": "application/zstd",
};

const day = 86_400;

/**
 * Returns the headers of an object. Clients must ask again for each file that changes: a cache must not give out an old index with a
 * new signature. A package that is built again under its old name becomes visible after a day.
 */
export function headersOf(path: string, kind: ObjectKind): Record<string, string> {
  const age = isNamedByDigest(path) ? `max-age=${365 * day}, immutable` : `max-age=${day}`;
  const usual = kind === "package" || extname(path) !== "" ? "application/octet-stream" : "text/plain; charset=utf-8";
  return {
    "content-type": types[extname(path)] ?? usual,
    "cache-control": kind === "package" ? `public, ${age}` : "no-cache",
  };
}
