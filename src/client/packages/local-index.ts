/** Finds out which files belong to a local index, and at which path the feed may list a local file. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { formats } from "../../formats/formats.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { lacksSizes } from "./listed-file.ts";

/** The paths of a local index and its signature. */
export interface LocalIndex {
  readonly index: string;
  /** The signature's path; undefined if the signature is beside the index. */
  readonly signature: string | undefined;
}

/**
 * Returns the path at which the feed may list a file that the user gives. For a checksum file, this is the path below the
 * index's folder, or the absolute path of a file outside that folder. For packages, which users collect in one folder, it is
 * only the file's name.
 */
export function placeBeside(index: VerifiedIndex, local: LocalIndex, path: string): string {
  if (!lacksSizes(index)) return basename(path);
  const below = relative(dirname(resolve(local.index)), resolve(path));
  return below.split("/")[0] === ".." ? resolve(path) : below;
}

/**
 * Returns a test whether a path is that of the index itself, with or without its cleartext frame, or of a signature of the
 * index.
 */
export function ownFiles({ feed }: VerifiedIndex, local: LocalIndex): (path: string) => boolean {
  const name = basename(local.index);
  const bare = name.replace(/\.(asc|gpg|sign)$/, "");
  const names = [name, bare, ...formats[feed.format].signaturesOf(bare)];
  const paths = new Set(names.map((one) => resolve(join(dirname(local.index), one))));
  if (local.signature !== undefined) paths.add(resolve(local.signature));
  return (path) => paths.has(resolve(path));
}
