/** Package files against the verified index: each must be listed, with its size and SHA-256. */
import type { Dirent } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { largest } from "../../extremes.ts";
import type { Digesting, Digests } from "../../files/digests.ts";
import type { FileDigest } from "../../files/file-digest.ts";
import { isCalledPackage } from "../../packages/file-names.ts";
import { holdsPackage } from "../../packages/package-content.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { refuseOther, wantedOf } from "./fetch.ts";

/**
 * Checks a package file against the index: an entry with its file name must have its digest.
 * @param place its path in a folder with the packages of the feed; only its name if there is no such folder
 * @param found the file's digest
 * @throws FeedkeyError `not_found`, `not_listed`, `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`
 */
function checkPackageFile(index: VerifiedIndex, path: string, place: string, found: FileDigest | undefined): void {
  if (found === undefined) {
    throw new FeedkeyError("not_found", `there is no package file ${escapeText(path)}`, {
      details: { path },
      hint: "put the file itself there: a link, a pipe or a folder is not accepted",
    });
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
  const right =
    entries.find((entry) => entry.sha256 === found.sha256 && (entry.size ?? found.size) === found.size) ?? first;
  refuseOther(right, wantedOf(right, index.feed.format), found.size, found.sha256);
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

/** The files below a folder, the folders themselves left out. */
interface Below {
  /** Called or linked like a package: they must be listed. */
  readonly packages: string[];
  /** They are packages only if an entry lists them, or by their content. */
  readonly others: string[];
}

async function filesBelow(top: string): Promise<Below> {
  const below: Below = { packages: [], others: [] };
  const pending = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (isCalledPackage(entry.name) || (entry.isSymbolicLink() && (await leadsToPackages(path)))) {
        below.packages.push(path);
      } else below.others.push(path);
    }
  }
  below.packages.sort();
  below.others.sort();
  return below;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await fs.readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new FeedkeyError("not_found", `the folder ${escapeText(folder)} can't be read`, {
      cause,
      details: { path: folder },
    });
  }
}

/** Links are refused: a link is not a package file, and files behind a link to a folder would not be checked. */
async function leadsToPackages(link: string): Promise<boolean> {
  const target = await fs.realpath(link).catch(() => undefined);
  if (target === undefined) return false;
  const stat = await fs.stat(target).catch(() => undefined);
  return isCalledPackage(basename(target)) || stat?.isDirectory() === true;
}

interface Begun {
  readonly paths: readonly string[];
  readonly digesting: Digesting;
}

/** The files in the folder given with `--packages`. */
interface BegunFolder {
  readonly folder: string;
  readonly packages: Begun;
  readonly others: readonly string[];
}

/** Package files that are being digested while their index is still to be verified. */
export class PackageFiles {
  readonly #threads: Digests;
  readonly #named: Begun;
  readonly #below: BegunFolder | FeedkeyError | undefined;

  private constructor(threads: Digests, named: Begun, below: BegunFolder | FeedkeyError | undefined) {
    this.#threads = threads;
    this.#named = named;
    this.#below = below;
  }

  /**
   * Begins with files that were named and those below a folder. What a file hashes to says nothing yet; that is for
   * {@link verify}, which takes nothing but a verified index.
   */
  static async begin(threads: Digests, files: readonly string[], folder: string | undefined): Promise<PackageFiles> {
    const named = begin(threads, files);
    if (folder === undefined) return new PackageFiles(threads, named, undefined);
    try {
      const { packages, others } = await filesBelow(folder);
      return new PackageFiles(threads, named, { folder, packages: begin(threads, packages), others });
    } catch (error) {
      // The index is judged first.
      if (error instanceof FeedkeyError) return new PackageFiles(threads, named, error);
      throw error;
    }
  }

  /**
   * Checks the files against the index: in the folder all files that an entry lists and all packages.
   * @param complete also refuse when a listed package is missing in the folder
   * @param onProgress called with the number of files that were begun
   * @throws FeedkeyError `not_found` if the folder can't be read
   */
  async verify(index: VerifiedIndex, complete: boolean, onProgress: (done: number) => void): Promise<CheckedFiles> {
    const named = await check(index, this.#named, onProgress, undefined);
    if (this.#below instanceof FeedkeyError) throw this.#below;
    if (this.#below === undefined) return named;
    const { folder, packages, others } = this.#below;
    const called = await check(index, packages, onProgress, folder);
    const { paths, errors } = await packagesAmong(index, others);
    const found = await check(index, begin(this.#threads, paths), onProgress, folder);
    const digests = new Map([...called.digests, ...found.digests]);
    const missing = complete ? missingFiles(index, folder, [...packages.paths, ...paths], digests) : [];
    return {
      good: [...named.good, ...called.good, ...found.good],
      errors: [...named.errors, ...called.errors, ...found.errors, ...errors, ...missing],
    };
  }
}

function begin(threads: Digests, paths: readonly string[]): Begun {
  return { paths, digesting: threads.begin(paths) };
}

/** Of the files without a package's name, those that the index lists or that are packages. */
async function packagesAmong(
  index: VerifiedIndex,
  paths: readonly string[],
): Promise<{ readonly paths: readonly string[]; readonly errors: readonly FeedkeyError[] }> {
  const found: string[] = [];
  const errors: FeedkeyError[] = [];
  for (const path of paths) {
    try {
      if (index.packages.findByFile(basename(path)).length > 0 || (await holdsPackage(path))) found.push(path);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      // It may be a package: what can't be read was not checked.
      errors.push(unreadable(path, error));
    }
  }
  return { paths: found, errors };
}

function unreadable(path: string, cause: FeedkeyError): FeedkeyError {
  return new FeedkeyError("not_found", `can't check whether ${escapeText(path)} is a package: it ${cause.message}`, {
    cause,
    details: { path },
    hint: "make the file readable for this user, or remove it from the folder",
  });
}

/** @param folder that has the files as the feed has its packages; undefined: they may be anywhere */
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
