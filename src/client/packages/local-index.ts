/** Tells which local files belong to a local index itself, and which path the index may give for a local file. */
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
 * Returns the path that an index may give for a local file. In a checksum file, this is the path below the checksum file's
 * folder; for a file outside that folder, the absolute path. For packages, this is only the file name, because users collect
 * packages from many folders in one.
 */
export function placeBeside(index: VerifiedIndex, local: LocalIndex, path: string): string {
  if (!lacksSizes(index)) return basename(path);
  const below = relative(dirname(resolve(local.index)), resolve(path));
  return below.split("/")[0] === ".." ? resolve(path) : below;
}

/** Returns a function that tells whether a path is that of the index (detached or cleartext-signed) or of its signature. */
export function ownFiles({ feed }: VerifiedIndex, local: LocalIndex): (path: string) => boolean {
  const name = basename(local.index);
  const bare = name.replace(/\.(asc|gpg|sign)$/, "");
  const names = [name, bare, ...formats[feed.format].signaturesOf(bare)];
  const paths = new Set(names.map((one) => resolve(join(dirname(local.index), one))));
  if (local.signature !== undefined) paths.add(resolve(local.signature));
  return (path) => paths.has(resolve(path));
}
