/** Package files against the verified index: each must be listed, with its size and SHA-256. */
import * as fs from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { largest } from "../extremes.ts";
import { isPackageName } from "../package/file-names.ts";
import type { FeedFormat } from "../profile/types.ts";
import type { Digesting, DigestThreads } from "../store/digest-threads.ts";
import type { FileDigest } from "../store/file-digest.ts";
import { refuseOther, wantedOf } from "./fetch.ts";
import type { VerifiedIndex } from "./verified-index.ts";

/**
 * Checks a package file against the index: an entry with its file name must have its digest.
 * @param place where it lies in a folder with the packages of the feed; its name alone where that means nothing
 * @param found what digesting the file gave
 * @throws FeedkeyError `not_found`, `not_listed`, `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`
 */
function checkPackageFile(index: VerifiedIndex, path: string, place: string, found: FileDigest | undefined): void {
  if (found === undefined) {
    throw new FeedkeyError("not_found", `there is no package file ${escapeText(path)}`, { details: { path } });
  }
  const entries = nearest(index.packages.findByFile(basename(path)), place);
  const [first] = entries;
  if (first === undefined) {
    throw new FeedkeyError(
      "not_listed",
      `the index of feed "${index.feed.name}" does not list ${escapeText(basename(path))}`,
      {
        details: { path, feed: index.feed.name },
        hint: "it did not come from this feed: do not install it",
      },
    );
  }
  const right = entries.find((entry) => entry.sha256 === found.sha256 && entry.size === found.size) ?? first;
  refuseOther(right, wantedOf(right), found.size, found.sha256);
}

/**
 * Of entries with one file name those whose path has most in common with the file's, from its end: what lies at the place
 * of one package must not pass for another that is called the same.
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

/** What came of the files: the paths found good, and every refusal. */
export interface CheckedFiles {
  readonly good: readonly string[];
  readonly errors: readonly FeedkeyError[];
}

async function packageFilesBelow(folder: string, format: FeedFormat): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FeedkeyError("not_found", `the folder ${escapeText(folder)} can't be read`, {
      cause,
      details: { path: folder },
    });
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) for (const below of await packageFilesBelow(path, format)) found.push(below);
    // A link is no package file and is refused as none; behind one to a folder nothing would be checked.
    else if (isPackageName(entry.name, format) || (entry.isSymbolicLink() && (await leadsToFolder(path)))) {
      found.push(path);
    }
  }
  return found;
}

async function leadsToFolder(link: string): Promise<boolean> {
  const stat = await fs.stat(link).catch(() => undefined);
  return stat?.isDirectory() === true;
}

interface Begun {
  readonly paths: readonly string[];
  readonly digesting: Digesting;
}

/** Package files that are being digested while their index is still to be verified. */
export class PackageFiles {
  readonly #named: Begun;
  readonly #folder: string | undefined;
  readonly #below: Begun | FeedkeyError | undefined;

  private constructor(named: Begun, folder: string | undefined, below: Begun | FeedkeyError | undefined) {
    this.#named = named;
    this.#folder = folder;
    this.#below = below;
  }

  /**
   * Begins with files that were named and those below a folder. What a file hashes to says nothing yet; that is for
   * {@link verify}, which takes nothing but a verified index.
   */
  static async begin(
    threads: DigestThreads,
    files: readonly string[],
    folder: string | undefined,
    format: FeedFormat,
  ): Promise<PackageFiles> {
    const begin = (paths: readonly string[]): Begun => ({ paths, digesting: threads.begin(paths) });
    const named = begin(files);
    if (folder === undefined) return new PackageFiles(named, undefined, undefined);
    const below = await packageFilesBelow(folder, format).then(begin, (error: unknown) => {
      // The index is judged first.
      if (error instanceof FeedkeyError) return error;
      throw error;
    });
    return new PackageFiles(named, folder, below);
  }

  /**
   * Checks the files against the index.
   * @param complete also refuse when a listed package is missing in the folder
   * @param onProgress told the number of files that were begun
   * @throws FeedkeyError `not_found` if the folder can't be read
   */
  async verify(index: VerifiedIndex, complete: boolean, onProgress: (done: number) => void): Promise<CheckedFiles> {
    const named = await check(index, this.#named, onProgress, undefined);
    if (this.#below instanceof FeedkeyError) throw this.#below;
    if (this.#below === undefined || this.#folder === undefined) return named;
    const below = await check(index, this.#below, onProgress, this.#folder);
    const missing = complete ? missingFiles(index, this.#folder, this.#below.paths, below.digests) : [];
    return { good: [...named.good, ...below.good], errors: [...named.errors, ...below.errors, ...missing] };
  }
}

/** @param folder that the files lie in, as the feed's packages do; undefined: they may lie anywhere */
async function check(
  index: VerifiedIndex,
  { paths, digesting }: Begun,
  onProgress: (done: number) => void,
  folder: string | undefined,
): Promise<CheckedFiles & { readonly digests: ReadonlyMap<string, string> }> {
  const good: string[] = [];
  const errors: FeedkeyError[] = [];
  const digests = new Map<string, string>();
  const digest = await digesting.join(onProgress);
  for (const [position, path] of paths.entries()) {
    try {
      const found = digest(position);
      checkPackageFile(index, path, folder === undefined ? basename(path) : relative(folder, path), found);
      good.push(path);
      digests.set(path, found?.sha256 ?? "");
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
    }
  }
  return { good, errors, digests };
}

/** Entries whose package files are not among those below a folder. */
function missingFiles(
  index: VerifiedIndex,
  folder: string,
  paths: readonly string[],
  digests: ReadonlyMap<string, string>,
): FeedkeyError[] {
  const found = new Set([...digests].map(([path, sha256]) => `${basename(path)} ${sha256}`));
  const refused = new Set(paths.filter((path) => !digests.has(path)).map((path) => basename(path)));
  const missing: FeedkeyError[] = [];
  for (const entry of index.packages) {
    const name = entry.filename?.slice(entry.filename.lastIndexOf("/") + 1) ?? "";
    // By digest too: two folders of the archive may have files of one name.
    if (refused.has(name) || found.has(`${name} ${entry.sha256}`)) continue;
    const what = `package "${escapeText(entry.name)}" ${escapeText(entry.version)}`;
    missing.push(
      new FeedkeyError("size_mismatch", `${what} is listed but missing in ${escapeText(folder)}`, {
        details: { package: entry.name, version: entry.version, folder },
        hint: "copy it there, or verify without --complete",
      }),
    );
  }
  return missing;
}
