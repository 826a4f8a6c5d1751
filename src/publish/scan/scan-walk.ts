/** Finds the package files below a folder, by name and kind alone. Nothing is opened here. */
import { type Dirent, lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isPackageName } from "../../packages/file-names.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import type { Helper } from "../../threads.ts";
import { type FileIdentity, identitiesOf, identitySize } from "./file-identity.ts";

export interface FoundPackage {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Absolute path of the file itself, links resolved. */
  readonly file: string;
  readonly identity: FileIdentity;
}

/** Package files, in the order of their paths byte by byte; in columns, since there may be many. */
export class FoundPackages {
  readonly paths: readonly string[];
  /** Four numbers for each file, as `FileIdentity` has them. */
  readonly identities: Float64Array;
  readonly #root: string;
  readonly #links: ReadonlyMap<string, string>;

  /**
   * @param root real path of the folder
   * @param links where those that are links lead, by path
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

/** A file or folder that cannot be scanned. */
export interface BadFile {
  /** Relative to the folder; bytes that are not UTF-8 are shown as `\xNN`. */
  readonly path: string;
  readonly error: FeedkeyError;
}

export interface WalkResult {
  readonly found: FoundPackages;
  readonly bad: readonly BadFile[];
}

/** What a walk has come upon so far. */
interface Walk {
  readonly root: string;
  readonly format: PublishedFormat;
  readonly paths: string[];
  /** Where those of them that are links lead. */
  readonly links: Map<string, string>;
  readonly bad: BadFile[];
}

/**
 * All files below the folder with names of packages of the format. Files and folders whose names begin with a dot are skipped.
 * Links to files inside the folder count under the link's name; links to folders inside it are skipped, since their files are
 * found in their own place; links that lead outside are bad.
 * @param helpersFor asked after each folder, by the number of packages found so far: the threads that help to look at them
 * @throws FeedkeyError `not_found` if the folder itself is missing or cannot be read
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
  // With the slash that follows a folder's name in the paths below it.
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

/** By code points, which is the order of their bytes in UTF-8; only characters beyond 16 bits make a difference. */
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

/** What of a folder is to be looked at: packages, folders, and links, which are classified by their targets, whatever their names. */
function list(walk: Walk, path: string): Entry[] {
  const { root, format } = walk;
  const isWanted = (entry: Entry) =>
    !entry.name.startsWith(".") && (isPackageName(entry.name, format) || entry.isDirectory() || entry.isSymbolicLink());
  try {
    const entries = readdirSync(join(root, path), { withFileTypes: true }).filter(isWanted);
    if (!entries.some(({ name }) => name.includes(replacement))) return entries;
    // Perhaps the name has that character, perhaps bytes that are not UTF-8.
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

/** Stands for bytes that are not UTF-8 in what Node makes of them. */
const replacement = "\ufffd";

/** Such a name could not be written into an index, or would be read as another. */
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

/** What was no plain file when it was looked at. */
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
