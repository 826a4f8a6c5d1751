/** Checks package files against a verified index, which must list each file with the same size and SHA-256. */
import type { Dirent } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { FeedkeyError, orRefusal, tryEach } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Digesting, Digests } from "../../files/digests.ts";
import { formats } from "../../formats/formats.ts";
import { isCalledPackage } from "../../packages/file-names.ts";
import { holdsPackage } from "../../packages/package-content.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { checkPackageFile } from "./listed-file.ts";
import { type LocalIndex, ownFiles, placeBeside } from "./local-index.ts";

/** The paths of the files that the index lists, and an error for each other file. */
export interface CheckedFiles {
  readonly good: readonly string[];
  readonly errors: readonly FeedkeyError[];
}

/** The files below a folder, at any depth. */
interface Below {
  /** Files and symbolic links with the name of a package: the index must list each of these. */
  readonly packages: string[];
  /** The other files. A file counts as a package if the index lists its name, or if its content is that of a package. */
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

/**
 * Tells whether a symbolic link leads to a package or a folder. feedkey refuses these links: a link is not a package file, and
 * feedkey would not check the files behind a link to a folder.
 */
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

/** The files in the folder that the user gives with `--packages`. */
interface BegunFolder {
  readonly folder: string;
  readonly packages: Begun;
  readonly others: readonly string[];
}

/** Package files that feedkey hashes while it verifies their index. */
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
   * Begins to hash the given files and the files below a folder. {@link verify} then compares the digests with a verified
   * index.
   */
  static async begin(threads: Digests, files: readonly string[], folder: string | undefined): Promise<PackageFiles> {
    const named = begin(threads, files);
    if (folder === undefined) return new PackageFiles(threads, named, undefined);
    // An error about the index is more important, so `verify` throws this error only after the index was verified.
    const below = await orRefusal(() => filesBelow(folder));
    if (below instanceof FeedkeyError) return new PackageFiles(threads, named, below);
    const packages = begin(threads, below.packages);
    return new PackageFiles(threads, named, { folder, packages, others: below.others });
  }

  /**
   * Checks package files against the index: the given files, and those files in the folder that the index lists or that are packages.
   * @param local the paths of the index and its signature
   * @param complete whether to report also packages that the index lists but the folder lacks
   * @param onProgress receives the number of files that feedkey has begun to hash
   * @throws FeedkeyError `not_found` if the folder can't be read
   */
  async verify(
    index: VerifiedIndex,
    local: LocalIndex,
    complete: boolean,
    onProgress: (done: number) => void,
  ): Promise<CheckedFiles> {
    const named = await check(index, this.#named, onProgress, (path) => placeBeside(index, local, path));
    if (this.#below instanceof FeedkeyError) throw this.#below;
    if (this.#below === undefined) return named;
    const { folder, packages, others } = this.#below;
    const place = (path: string) => relative(folder, path);
    const called = await check(index, packages, onProgress, place);
    const { paths, errors } = await packagesAmong(index, local, others);
    const found = await check(index, begin(this.#threads, paths), onProgress, place);
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

/**
 * Returns those files that feedkey must check although they do not have the name of a package: the index lists them, or their
 * content is that of a package.
 */
async function packagesAmong(
  index: VerifiedIndex,
  local: LocalIndex,
  paths: readonly string[],
): Promise<{ readonly paths: readonly string[]; readonly errors: readonly FeedkeyError[] }> {
  const isOwn = ownFiles(index, local);
  const isPackage = formats[index.feed.format].lacksSizes ? (path: string) => !isOwn(path) : holdsPackage;
  const { good, errors } = await tryEach(paths, async (path) => {
    if (index.packages.findByFile(basename(path)).length > 0) return path;
    const is = await orRefusal(() => isPackage(path));
    // The unreadable file may be a package, so it is an error.
    if (is instanceof FeedkeyError) throw unreadable(path, is);
    return is ? path : [];
  });
  return { paths: good.flat(), errors };
}

function unreadable(path: string, cause: FeedkeyError): FeedkeyError {
  return new FeedkeyError("not_found", `can't check whether ${escapeText(path)} is a package: it ${cause.message}`, {
    cause,
    details: { path },
    hint: "make the file readable for this user, or remove it from the folder",
  });
}

/** Checks files against the index. @param place returns the path that the index may give for a file */
async function check(
  index: VerifiedIndex,
  { paths, digesting }: Begun,
  onProgress: (done: number) => void,
  place: (path: string) => string,
): Promise<CheckedFiles & { readonly digests: ReadonlyMap<string, string> }> {
  const digests = new Map<string, string>();
  const digest = await digesting.join(onProgress);
  const { good, errors } = await tryEach(paths.entries(), ([position, path]) => {
    const found = digest(position);
    checkPackageFile(index, path, place(path), found);
    digests.set(path, found?.sha256 ?? "");
    return path;
  });
  return { good, errors, digests };
}

/** Returns an error for each entry whose package file is missing in the folder. */
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
    // The name alone is not enough: two folders in the archive may have files with the same name.
    if (refused.has(name) || found.has(`${name} ${entry.sha256}`)) continue;
    const what = `package "${escapeText(entry.name)}" ${escapeText(entry.version)}`;
    missing.push(
      new FeedkeyError("size_mismatch", `${what} is listed but missing in ${escapeText(folder)}`, {
        details: { package: entry.name, version: entry.version, folder },
        hint: "copy the package there, or verify without --complete",
      }),
    );
  }
  return missing;
}
