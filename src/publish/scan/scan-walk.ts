/** Finds the package files below a folder by name and file type alone. Opens no file. */
import { type Dirent, lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isPackageName } from "../../packages/file-names.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import type { Helper } from "../../threads.ts";
import { type FileIdentity, identitiesOf, identitySize } from "./file-identity.ts";

export interface FoundPackage {
  /** Path relative to the scanned folder, with `/`. */
  readonly path: string;
  /** Absolute path of the file, with links resolved. */
  readonly file: string;
  readonly identity: FileIdentity;
}

/** Package files, sorted by the bytes of their paths. Stored in columns to save memory. */
export class FoundPackages {
  readonly paths: readonly string[];
  /** The four numbers of `FileIdentity`, for each file. */
  readonly identities: Float64Array;
  readonly #root: string;
  readonly #links: ReadonlyMap<string, string>;

  /**
   * @param root real path of the folder
   * @param links the targets of links, by the link's path
   */
  constructor(root: string, paths: readonly string[], identities: Float64Array, links: ReadonlyMap<string, string>) {
    this.#root = root;
    this.paths = paths;
    this.identities = identities;
    this.#links = links;
  }

  get count(): number {
    return this.paths.length;
  }

  at(place: number): FoundPackage {
    const path = this.paths[place] ?? "";
    const numbers = this.identities.subarray(place * identitySize, (place + 1) * identitySize);
    const [size = 0, modified = 0, changed = 0, inode = 0] = numbers;
    const file = this.#links.get(path) ?? join(this.#root, path);
    return { path, file, identity: { size, modified, changed, inode } };
  }
}

/** A file or folder that can't be scanned. */
export interface BadFile {
  /** Path relative to the scanned folder. A byte that is not UTF-8 appears as `\xNN`. */
  readonly path: string;
  readonly error: FeedkeyError;
}

export interface WalkResult {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
}

/** What a walk has found so far. */
interface Walk {
  readonly root: string;
  readonly format: PublishedFormat;
  readonly paths: string[];
  /** The targets of found links, by the link's path. */
  readonly links: Map<string, string>;
  readonly bad: BadFile[];
}

/**
 * Finds all files below the folder that have a package's name in the format. Skips names that begin with a dot. A link to a
 * file inside the folder counts under the link's name. A link to a folder inside is skipped, because the walk finds that
 * folder's files in their own place. A link that leads outside is bad.
 * @param helpersFor called after each folder with the number of packages found so far; returns the threads that help
 * @throws FeedkeyError `not_found` if the folder itself is missing or can't be read
 */
export async function findPackages(
  folder: string,
  format: PublishedFormat = "opkg",
  helpersFor: (found: number) => readonly Helper[] = () => [],
): Promise<WalkResult> {
  const walk: Walk = { root: realFolder(folder), format, paths: [], links: new Map(), bad: [] };
  enter(walk, "", helpersFor);
  const { root, paths, links, bad } = walk;
  const fileAt = (place: number) => links.get(paths[place] ?? "") ?? `${root}/${paths[place]}`;
  const identities = await identitiesOf(paths.length, fileAt, helpersFor(paths.length));
  const isPlain = (place: number) => !Number.isNaN(identities[place * identitySize]);
  const odd = [...paths.keys()].filter((place) => !isPlain(place));
  if (odd.length === 0) return { found: new FoundPackages(root, paths, identities, links), bad };
  for (const place of odd) reportOdd(walk, paths[place] ?? "", fileAt(place));
  const plain = paths.filter((_, place) => isPlain(place));
  const numbers = identities.filter((_, at) => isPlain(Math.floor(at / identitySize)));
  return { found: new FoundPackages(root, plain, numbers, links), bad };
}

function enter(walk: Walk, path: string, onFolder: (found: number) => void): void {
  const entries = list(walk, path);
  // Sorts a folder's name with a slash, because paths below the folder have this slash.
  const names = new Map(entries.map((entry) => [entry.isDirectory() ? `${entry.name}/` : entry.name, entry]));
  for (const name of inByteOrder([...names.keys()])) {
    const entry = names.get(name);
    if (entry === undefined) continue;
    const relative = path === "" ? entry.name : `${path}/${entry.name}`;
    const problem = nameProblem(entry.name);
    if (problem !== undefined) report(walk, relative, "bad_path", `has a name with ${problem}`);
    else if (entry.isDirectory()) enter(walk, relative, onFolder);
    else if (entry.isSymbolicLink()) follow(walk, relative);
    else walk.paths.push(relative);
  }
  onFolder(walk.paths.length);
}

/** Sorts by UTF-8 bytes. JavaScript's own order differs from this order only for characters beyond 16 bits. */
function inByteOrder(names: string[]): string[] {
  const isWide = names.some((name) => /[\ud800-\udfff]/.test(name));
  return isWide ? names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : names.sort();
}

function realFolder(folder: string): string {
  try {
    const real = realpathSync.native(folder);
    readdirSync(real, { encoding: "buffer" });
    return real;
  } catch (error) {
    throw new FeedkeyError("not_found", `folder "${escapeText(folder)}" cannot be read: ${systemCode(error)}`, {
      details: { path: folder },
      hint: "give the folder that holds the packages",
      cause: error,
    });
  }
}

type Entry = Pick<Dirent, "name" | "isDirectory" | "isSymbolicLink">;

/** Lists the entries in a folder that the walk must look at: packages, folders and links. Only its target tells what a link is. */
function list(walk: Walk, path: string): Entry[] {
  const { root, format } = walk;
  const isWanted = (entry: Entry) =>
    !entry.name.startsWith(".") && (isPackageName(entry.name, format) || entry.isDirectory() || entry.isSymbolicLink());
  try {
    const entries = readdirSync(join(root, path), { withFileTypes: true }).filter(isWanted);
    if (!entries.some(({ name }) => name.includes(replacement))) return entries;
    // Such a name contains this character, or bytes that are not UTF-8.
    return readdirSync(join(root, path), { withFileTypes: true, encoding: "buffer" }).flatMap((entry) => {
      const name = entry.name.toString("utf8");
      const named: Entry = {
        name,
        isDirectory: () => entry.isDirectory(),
        isSymbolicLink: () => entry.isSymbolicLink(),
      };
      if (!isWanted(named)) return [];
      if (Buffer.from(name, "utf8").equals(entry.name)) return [named];
      const shown = path === "" ? showBytes(entry.name) : `${path}/${showBytes(entry.name)}`;
      report(walk, shown, "bad_path", "has a name with bytes that are not UTF-8");
      return [];
    });
  } catch (error) {
    report(walk, path, "not_found", `cannot be read: ${systemCode(error)}`);
    return [];
  }
}

/** Node puts this character in place of bytes that are not UTF-8. */
const replacement = "\ufffd";

/** Returns why an index can't contain a name, or why a reader would see another name; undefined for a good name. */
function nameProblem(name: string): string | undefined {
  if (/^[!-[\]-~]+$/.test(name)) return undefined;
  if (escapeText(name) !== name) return "a control or invisible character";
  // Clients refuse such a path (T12).
  return name.includes("\\") ? "a backslash" : undefined;
}

function showBytes(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function follow(walk: Walk, path: string): void {
  const isPackage = isPackageName(path, walk.format);
  try {
    const file = realpathSync.native(join(walk.root, path));
    const isFolder = lstatSync(file).isDirectory();
    if (!isPackage && !isFolder) return;
    if (!isInside(walk.root, file)) report(walk, path, "bad_path", "is a symbolic link that leads out of the folder");
    else if (!isFolder) {
      walk.links.set(path, file);
      walk.paths.push(path);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    if (isPackage) report(walk, path, "not_found", `cannot be read: ${systemCode(error)}`);
  }
}

/** Reports an entry that was not a regular file when the walk looked at it. */
function reportOdd(walk: Walk, path: string, file: string): void {
  try {
    lstatSync(file);
    report(walk, path, "bad_package", "is not a regular file");
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    report(walk, path, "not_found", `cannot be read: ${systemCode(error)}`);
  }
}

function isInside(root: string, file: string): boolean {
  return file.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function report({ bad }: Walk, path: string, code: ErrorCode, problem: string): void {
  const error = new FeedkeyError(code, `"${escapeText(path)}" ${problem}`, { details: { path } });
  bad.push({ path, error });
}
