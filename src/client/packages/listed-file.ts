/** Checks one package file against the entries in a verified index. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { largest } from "../../extremes.ts";
import type { FileDigest } from "../../files/file-digest.ts";
import { formatOf } from "../../formats/formats.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { refuseOther, wantedOf } from "./wanted-file.ts";

/**
 * Checks a package file against the index: an entry with the file's name must have the file's size and digest. Package files
 * contain their name and version, so their folder does not matter. The files that a checksum file lists contain no name: if an
 * entry has the file's own path, only this entry counts.
 * @param place the file's path below the folder with the feed's packages; only the file's name if the caller knows no such folder
 * @param found the file's digest
 * @throws FeedkeyError `not_found`, `not_listed`, `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`
 */
export function checkPackageFile(
  index: VerifiedIndex,
  path: string,
  place: string,
  found: FileDigest | undefined,
): void {
  if (found === undefined) {
    throw new FeedkeyError("not_found", `${escapeText(path)} does not exist, or is not a plain file`, {
      details: { path },
      hint: "give the path of the package file itself: a link, a pipe or a folder is not accepted",
    });
  }
  const called = index.packages.findByFile(nameOf(path));
  const same = lacksSizes(index) ? called.filter(({ filename }) => filename === place) : [];
  const entries = same.length > 0 ? same : nearest(called, place);
  const [first] = entries;
  if (first === undefined) {
    const problem = `the index of feed "${index.feed.name}" does not list ${escapeText(nameOf(path))}`;
    throw new FeedkeyError("not_listed", problem, {
      details: { path, feed: index.feed.name },
      hint: "the file does not belong to this feed, or no longer does: do not install it",
    });
  }
  const right =
    entries.find((entry) => entry.sha256 === found.sha256 && (entry.size ?? found.size) === found.size) ?? first;
  refuseOther(right, wantedOf(right, index.feed.format), found.size, found.sha256);
  const isUnclear = entries.some(({ sha256 }) => sha256 !== right.sha256);
  if (isUnclear && lacksSizes(index)) throw unclear(index, path, entries);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function unclear(
  { feed }: VerifiedIndex,
  path: string,
  entries: readonly { readonly filename: string | undefined }[],
): FeedkeyError {
  const names = entries.slice(0, 3).map(({ filename = "" }) => escapeText(filename));
  const problem = `the index of feed "${feed.name}" lists several different files called ${escapeText(nameOf(path))}, and the path ${escapeText(path)} does not show which of them it should be`;
  return new FeedkeyError("not_listed", problem, {
    details: { path, feed: feed.name },
    hint: `move the file to the path that the index lists, below the folder of the index: ${names.join(" or ")}`,
  });
}

/** Whether an index gives digests but no sizes, as checksum files do. */
export function lacksSizes({ feed }: VerifiedIndex): boolean {
  return formatOf(feed.format).lacksSizes === true;
}

/**
 * Returns those entries with the file's name whose paths have the longest common end with the file's path. So a file in one
 * package's folder can't pass for another package that has the same file name.
 */
function nearest<Listed extends { readonly filename: string | undefined }>(
  entries: readonly Listed[],
  place: string,
): Listed[] {
  const wanted = place.split("/").reverse();
  const common = ({ filename = "" }: Listed) => {
    const segments = filename.split("/").reverse();
    const differing = segments.findIndex((segment, i) => segment !== wanted[i]);
    return differing === -1 ? segments.length : differing;
  };
  const most = largest(entries.map(common));
  return entries.filter((entry) => common(entry) === most);
}
