/** An index on the disk: which files belong to it, and at what place of its packages a file lies. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { formats } from "../../formats/formats.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { lacksSizes } from "./listed-file.ts";

/** Where an index and its signature lie on the disk. */
export interface LocalIndex {
  readonly index: string;
  /** Undefined: beside it. */
  readonly signature: string | undefined;
}

/**
 * The place of a file given by the user: its path below the folder of the index, or all of its path if it lies elsewhere. Of
 * packages, which are gathered in one folder, it is their name alone.
 */
export function placeBeside(index: VerifiedIndex, local: LocalIndex, path: string): string {
  if (!lacksSizes(index)) return basename(path);
  const below = relative(dirname(resolve(local.index)), resolve(path));
  return below.split("/")[0] === ".." ? resolve(path) : below;
}

/** @returns whether a path is that of the index itself, with or without its frame, or of one of its signatures */
export function ownFiles({ feed }: VerifiedIndex, local: LocalIndex): (path: string) => boolean {
  const name = basename(local.index);
  const bare = name.replace(/\.(asc|gpg|sign)$/, "");
  const names = [name, bare, ...formats[feed.format].signaturesOf(bare)];
  const paths = new Set(names.map((one) => resolve(join(dirname(local.index), one))));
  if (local.signature !== undefined) paths.add(resolve(local.signature));
  return (path) => paths.has(resolve(path));
}
