/** Finds the package files below a folder, and their identities. Does not open any file. */
import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isPackageName } from "../../packages/file-names.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { type FileIdentity, identityOf, identitySize } from "./file-identity.ts";

export interface FoundPackage {
  /** The path relative to the scanned folder, with `/` between names. */
  readonly path: string;
  /** The absolute path of the file, with links resolved. */
  readonly file: string;
  readonly identity: FileIdentity;
}

/** The found package files, sorted by the bytes of their paths. The data is in columns to save memory. */
export class FoundPackages {
  readonly paths: readonly string[];
  /** The four numbers of `FileIdentity`, for each file. */
  readonly identities: Float64Array;
  readonly #root: string;
  readonly #links: ReadonlyMap<string, string>;

  /**
   * @param root the real path of the folder
   * @param links the target of each link, by the link's path
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

/** A file or folder that feedkey can't scan. */
export interface BadFile {
  /** The path relative to the scanned folder. Bytes that are not UTF-8 appear as `\xNN`. */
  readonly path: string;
  readonly error: FeedkeyError;
}

interface WalkResult {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
}

/** The files that a walk has found so far. */
interface Walk {
  readonly root: string;
  readonly format: PublishedFormat;
  readonly paths: string[];
  /** The four numbers of `FileIdentity`, for each path. */
  readonly identities: number[];
  /** The target of each link, by the link's path. */
  readonly links: Map<string, string>;
  readonly bad: BadFile[];
}

/**
 * Finds all files below a folder that have a name for packages in the format. Skips names that begin with a dot. A link to a file inside
 * the folder counts as a file with the link's name. Skips a link to a folder inside, because the walk finds the files in that folder
 * anyway. Reports a link that leads outside as bad.
 * @throws FeedkeyError `not_found` if the folder itself is missing or unreadable
 */
export function findPackages(folder: string, format: PublishedFormat = "opkg"): WalkResult {
  const walk: Walk = { root: realFolder(folder), format, paths: [], identities: [], links: new Map(), bad: [] };
  enter(walk, "");
  const { root, paths, identities, links, bad } = walk;
  return { found: new FoundPackages(root, paths, new Float64Array(identities), links), bad };
}

function enter(walk: Walk, path: string): void {
  const entries = list(walk, path);
  // The code sorts a folder's name with a slash at its end, because the paths below the folder have this slash.
  const names = new Map(entries.map((entry) => [entry.isDirectory() ? `${entry.name}/` : entry.name, entry]));
  for (const name of inByteOrder([...names.keys()])) {
    const entry = names.get(name);
    if (entry === undefined) continue;
    const relative = path === "" ? entry.name : `${path}/${entry.name}`;
    const problem = nameProblem(entry.name);
    if (problem !== undefined) report(walk, relative, "bad_path", `has a name with ${problem}`);
    else if (entry.isDirectory()) enter(walk, relative);
    else if (entry.isSymbolicLink()) follow(walk, relative);
    else {
      const status = look(walk, relative, () => lstatSync(`${walk.root}/${relative}`));
      if (status !== undefined) add(walk, relative, status);
    }
  }
}

/** Runs an action on an entry. If the entry is unreadable, reports the entry and returns undefined. */
function look<Found>(walk: Walk, path: string, action: () => Found): Found | undefined {
  try {
    return action();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (isPackageName(path, walk.format)) report(walk, path, "not_found", `cannot be read: ${code}`);
    return undefined;
  }
}

function add(walk: Walk, path: string, status: Stats): void {
  if (!status.isFile()) {
    report(walk, path, "bad_package", "is not a regular file");
    return;
  }
  const { size, modified, changed, inode } = identityOf(status);
  walk.paths.push(path);
  walk.identities.push(size, modified, changed, inode);
}

/** Sorts names by their UTF-8 bytes. JavaScript's own order differs only for characters that need more than 16 bits. */
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
      hint: "name the folder that contains the packages, and check that you may read the folder",
      cause: error,
    });
  }
}

type Entry = Pick<Dirent, "name" | "isDirectory" | "isSymbolicLink">;

/**
 * Returns the entries in a folder that the walk must examine: packages, folders, and all links. Only a link's target shows whether the link
 * is a package.
 */
function list(walk: Walk, path: string): Entry[] {
  const { root, format } = walk;
  const isWanted = (entry: Entry) =>
    !entry.name.startsWith(".") && (isPackageName(entry.name, format) || entry.isDirectory() || entry.isSymbolicLink());
  try {
    const entries = readdirSync(join(root, path), { withFileTypes: true }).filter(isWanted);
    if (!entries.some(({ name }) => name.includes(replacement))) return entries;
    // A name with the replacement character may have bytes that are not UTF-8. So feedkey then reads the names as bytes.
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

/** The character with which Node replaces bytes that are not UTF-8. */
const replacement = "\ufffd";

/** Returns the reason why a name can't be in an index, or why a reader would see a different name; undefined for a good name. */
function nameProblem(name: string): string | undefined {
  if (/^[!-[\]-~]+$/.test(name)) return undefined;
  if (escapeText(name) !== name) return "a control or invisible character";
  // Clients refuse a path with a backslash (T12).
  return name.includes("\\") ? "a backslash" : undefined;
}

function showBytes(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function follow(walk: Walk, path: string): void {
  const found = look(walk, path, () => {
    const file = realpathSync.native(join(walk.root, path));
    return { file, status: lstatSync(file) };
  });
  if (found === undefined) return;
  const { file, status } = found;
  const isFolder = status.isDirectory();
  if (!isFolder && !isPackageName(path, walk.format)) return;
  if (!isInside(walk.root, file)) report(walk, path, "bad_path", "is a symbolic link that leads out of the folder");
  else if (!isFolder) {
    walk.links.set(path, file);
    add(walk, path, status);
  }
}

function isInside(root: string, file: string): boolean {
  return file.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function report({ bad }: Walk, path: string, code: ErrorCode, problem: string): void {
  const error = new FeedkeyError(code, `"${escapeText(path)}" ${problem}`, { details: { path } });
  bad.push({ path, error });
}
