/**
 * Reads pacman's databases, as `repo-add` writes them: a tar archive with a folder `NAME-VERSION` for each package. The file `desc`
 * in this folder contains the fields. The reader is strict (T13), because pacman ignores unknown fields and files. If a field or file
 * appears twice, pacman uses the last.
 */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { DigestedEntry } from "../entry-source.ts";
import { readSize } from "../entry-values.ts";
import { LineWalker } from "../line-cursor.ts";
import { ListedEntries } from "../listed-entries.ts";
import { PackageIndex } from "../package-index.ts";
import { type TarEntry, tarEntries } from "../tar/tar.ts";

/** The limit for tar entries in a database. A package has two or three entries. Arch's largest database has 15,000 packages. */
const maxEntries = 1_000_000;

/** The names of the files in a package's folder. pacman reads fields from each of these files in the same way. */
const fileNames = ["desc", "depends", "files"];

/** The fields that feedkey reads. Each of these fields has one value. */
const fieldNames = ["FILENAME", "NAME", "VERSION", "ARCH", "CSIZE", "SHA256SUM", "MD5SUM"] as const;
type Field = (typeof fieldNames)[number];

/** A placeholder for the values of all other fields. feedkey does not store these values, because they would take much memory. */
const unread: string[] = [];

/** Fields with several values. feedkey reads these fields only to check dependencies. */
const relationNames = ["DEPENDS", "PROVIDES"];

interface Described {
  readonly place: number;
  readonly fields: Map<string, readonly string[]>;
  readonly files: Set<string>;
}

/**
 * Checks a whole database and returns its packages for look-ups.
 * @param bytes the decompressed tar archive
 * @throws FeedkeyError `bad_index`, with the package's folder, if the database is malformed
 */
export function readDatabase(bytes: Uint8Array): PackageIndex {
  const entries: DigestedEntry[] = [];
  const names = new Map<string, string>();
  for (const [folder, described] of readFolders(bytes)) {
    const entry = readEntry(folder, described);
    const earlier = names.get(entry.name);
    if (earlier !== undefined) throw bad(folder, `describes the package of ${escapeText(earlier)} again`);
    names.set(entry.name, folder);
    entries.push(entry);
  }
  return new PackageIndex(new ListedEntries(bytes.length, entries));
}

/** Yields the packages in an already checked database, with their dependencies and capabilities. */
export function* readRelated(bytes: Uint8Array) {
  for (const { fields } of readFolders(bytes, relationNames).values()) {
    const [name = "", version = "", architecture = ""] = ["NAME", "VERSION", "ARCH"].map(
      (field) => fields.get(field)?.[0],
    );
    const [depends = [], provides = []] = relationNames.map((field) => fields.get(field));
    yield { name, version, architecture, depends, provides };
  }
}

function bad(folder: string, problem: string): FeedkeyError {
  return new FeedkeyError("bad_index", `"${escapeText(folder)}" in the database ${problem}`, { details: { folder } });
}

function readFolders(bytes: Uint8Array, lists: readonly string[] = []): Map<string, Described> {
  const folders = new Map<string, Described>();
  const wanted = ({ isFile }: TarEntry) => (isFile ? bytes.length : undefined);
  try {
    for (const entry of tarEntries(bytes, wanted, maxEntries)) {
      const [folder = "", file, ...deeper] = entry.name.replace(/\/$/, "").split("/");
      const found = folders.get(folder) ?? { place: folders.size + 1, fields: new Map(), files: new Set() };
      folders.set(folder, found);
      const isFolder = file === undefined && entry.isFolder;
      const isFile = file !== undefined && deeper.length === 0 && entry.isFile && fileNames.includes(file);
      if (folder !== entry.path.split("/")[0] || (!isFolder && !isFile)) {
        throw bad(
          entry.name,
          'is neither a folder named NAME-VERSION nor a plain file named "desc", "depends" or "files" in such a folder',
        );
      }
      if (found.files.has(file ?? "")) throw bad(entry.name, "appears twice");
      found.files.add(file ?? "");
      if (isFile) readFields(entry.content, entry.name, found.fields, lists);
    }
  } catch (error) {
    if (!(error instanceof FeedkeyError) || error.code !== "bad_package") throw error;
    throw new FeedkeyError("bad_index", error.message, { details: error.details, cause: error });
  }
  return folders;
}

/** Reads a file's fields. A field is a line `%NAME%`, a line for each value, and an empty line. */
function readFields(
  bytes: Uint8Array,
  name: string,
  fields: Map<string, readonly string[]>,
  lists: readonly string[],
): void {
  const walker = new LineWalker(bytes, { name: escapeText(name), code: "bad_index" });
  let values: string[] | undefined;
  let isList = false;
  while (walker.advance()) {
    const text = walker.bytes.toString("utf8", walker.start, walker.end);
    const field = /^%(.+)%$/.exec(text)?.[1];
    if (values === undefined && field !== undefined) {
      if (fields.has(field)) throw walker.error(`gives ${escapeText(field)} again`);
      isList = lists.includes(field);
      values = isList || fieldNames.includes(field as Field) ? [] : unread;
      fields.set(field, values);
    } else if (text === "") values = undefined;
    // If pacman does not know the field above, pacman treats this line as a new field.
    else if (field !== undefined) throw walker.error("begins a field without an empty line before it");
    else if (values === undefined) throw walker.error("is not a field");
    else if (values !== unread && values.push(text) > 1 && !isList)
      throw walker.error("is a second value of one field");
  }
}

function readEntry(folder: string, { place, fields, files }: Described): DigestedEntry {
  const value = (field: Field) => fields.get(field)?.[0];
  if (!files.has("desc")) throw bad(folder, 'has no file "desc"');
  const [name, version] = [value("NAME"), value("VERSION")];
  if (name === undefined || !/^[^/\s\p{Cc}\ufffd.-][^/\s\p{Cc}\ufffd]*$/u.test(name))
    throw bad(folder, "has no usable NAME");
  if (version === undefined || !/^[!-,.0-~]+-[!-,.0-~]+$/.test(version)) {
    throw bad(folder, "has no VERSION with a version and a release");
  }
  if (folder !== `${name}-${version}`)
    throw bad(folder, `describes ${name} ${version}, so the folder's name must be ${name}-${version}`);
  const filename = value("FILENAME");
  if (filename !== undefined && !/^[^/\p{Cc}\ufffd\\.][^/\p{Cc}\ufffd\\]*$/u.test(filename)) {
    throw bad(folder, "has a FILENAME that is not the plain name of a file");
  }
  const architecture = value("ARCH") ?? "";
  if (/[\s\p{Cc}\ufffd]/u.test(architecture)) throw bad(folder, "has an ARCH that is not a word");
  return {
    ...{ name, version, architecture, filename, line: place },
    size: readSize(value("CSIZE")),
    sha256: digest(folder, "SHA256SUM", value("SHA256SUM"), 64),
    md5: digest(folder, "MD5SUM", value("MD5SUM"), 32),
  };
}

/** Checks a digest. pacman compares digests case-sensitively, so an upper-case digest would never match. */
function digest(folder: string, field: Field, text: string | undefined, digits: number): string | undefined {
  if (text === undefined || (text.length === digits && /^[0-9a-f]+$/.test(text))) return text;
  throw bad(folder, `has a ${field} that is not ${digits} lower-case hex digits`);
}
