/** Writes the stanzas of an opkg index. */
import { FeedkeyError } from "../../error.ts";
import { asBuffer, description, maxLineLength } from "../line-cursor.ts";
import { controlText, type Field, fieldText, parseControl } from "./field.ts";
import { OpkgScanner } from "./packages-text.ts";

/** A package's own fields as they appear in an index. */
export interface OwnWords {
  readonly name: string;
  readonly version: string;
  /** The architecture; empty if the control data has none. */
  readonly architecture: string;
  /** The stanza without the fields about the package file. */
  readonly own: Uint8Array;
}

/**
 * Reads a package's control data.
 * @throws FeedkeyError `bad_package` if an index can't contain the control data
 */
export function ownWords(bytes: Uint8Array): OwnWords {
  const control = parseControl(bytes);
  const word = (name: string) => fieldText(control, name) ?? "";
  return {
    name: word("Package"),
    version: word("Version"),
    architecture: word("Architecture"),
    own: ownStanza(control),
  };
}

/** The facts that an index gives about a package file. */
interface PackageFile {
  /** Path relative to the feed or the archive, with slashes. opkg does not decode percent-encoding. */
  readonly filename: string;
  /** Size of the package file, in bytes. */
  readonly size: number;
  /** MD5 in lower-case hex. Released versions of opkg check only this digest. */
  readonly md5: string;
  /** SHA-256 in lower-case hex. opkg refuses upper case. */
  readonly sha256: string;
}

/**
 * Returns a package's own fields as they appear in an index. Leaves out control fields about the package file, because a
 * package can't contain its own digest.
 * @throws FeedkeyError `bad_package` if an index can't contain the control data
 */
export function ownStanza(control: readonly Field[]): Uint8Array {
  const own = control.filter(({ name }) => !aboutFile.test(name));
  const stanza = formatStanza(own);
  // feedkey must never publish an index that clients refuse. So feedkey reads each stanza with the clients' reader, unless
  // the stanza is obviously good.
  if (!isPlainlyNamed(own)) new OpkgScanner(stanza, controlText).next();
  return stanza;
}

/** Whether the fields include a name and a version, and name, version and architecture are words in plain ASCII. */
function isPlainlyNamed(own: readonly Field[]): boolean {
  const words = own.filter(({ name }) => /^(?:package|version|architecture)$/i.test(name));
  const named = words.filter(({ name }) => name.length < "architecture".length);
  return named.length === 2 && words.every(({ value }) => /^[!-~]+$/.test(value));
}

/**
 * Adds fields to a package's own stanza: at the end, or before a description that must be the last field. Usually avoids copying
 * the stanza: the caller joins the two returned parts.
 */
export function stanzaParts(own: Uint8Array, fields: string): { readonly own: Uint8Array; readonly added: string } {
  if (!hasBlankLine(own)) return { own, added: fields };
  const bytes = asBuffer(own);
  const place = (/\ndescription:/i.exec(bytes.toString("latin1"))?.index ?? bytes.length - 1) + 1;
  return { own: Buffer.concat([bytes.subarray(0, place), Buffer.from(fields), bytes.subarray(place)]), added: "" };
}

/** Whether the description in a stanza has a blank line. No field may follow such a description. */
function hasBlankLine(stanza: Uint8Array): boolean {
  const bytes = asBuffer(stanza);
  // The first check is fast and usually enough. feedkey publish runs this function for every package.
  return (bytes.includes(" \n") || bytes.includes("\t\n")) && /\n[ \t]+\n/.test(bytes.toString("latin1"));
}

/** The digests that opkg reads, by opkg's field names. */
const opkgDigests = { MD5Sum: "md5", SHA256sum: "sha256" } as const;

/**
 * Returns the fields for a package file's path, size and digests.
 * @param digests the digests to write, by field name
 * @throws FeedkeyError `bad_package` if clients refuse the path; `internal` if size or digests are malformed
 */
export function fileFields(
  file: PackageFile,
  digests: Readonly<Record<string, "md5" | "sha256">> = opkgDigests,
): string {
  const { filename, size, md5, sha256 } = file;
  if (!Number.isSafeInteger(size) || size < 0 || !/^[0-9a-f]{32}$/.test(md5) || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new FeedkeyError("internal", "size or digests of a package are malformed", {
      details: { size, md5, sha256 },
    });
  }
  checkFilename(filename);
  const lines = Object.entries(digests).map(([name, digest]) => `${name}: ${file[digest]}\n`);
  return `Filename: ${filename}\nSize: ${size}\n${lines.join("")}`;
}

/**
 * Returns the bytes of a stanza. Repairs nothing: each further line in a value must already start with a space or a tab.
 * Otherwise a value could insert a field or a stanza.
 * @throws FeedkeyError `bad_package` if the stanza has no field, if a field appears twice, or if a reader would not read a name
 * or a value back unchanged
 */
export function formatStanza(fields: readonly Field[]): Uint8Array {
  if (fields.length === 0) throw new FeedkeyError("bad_package", "a stanza needs at least one field");
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const { name, value } of fields) {
    checkName(name);
    const key = name.toLowerCase();
    if (seen.has(key)) throw badField(name, "appears twice");
    seen.add(key);
    checkValue(name, value);
    if (/\n[ \t]+(?:\n|$)/.test(value) && seen.size < fields.length) {
      throw badField(name, "has a line of only blanks, but is not the last field");
    }
    lines.push(value === "" || value.startsWith("\n") ? `${name}:${value}\n` : `${name}: ${value}\n`);
  }
  return Buffer.from(lines.join(""), "latin1");
}

function checkName(name: string): void {
  if (!/^(?![#-])[!-9;-~]+$/.test(name)) throw badField(name, "is not a valid field name");
}

function checkValue(name: string, value: string): void {
  if (name.length + value.length > maxLineLength - 2) throw badField(name, "is too long");
  const folded = name.toLowerCase() === description ? foldedDescription : foldedValue;
  if (!folded.test(value)) throw badField(name, problemOf(value));
}

/** Matches a value in which each further line begins with a space or a tab. */
const foldedDescription = /^(?![ \t])[^\0\r\n]*(?:\n[ \t][^\0\r\n]*)*$/;

/** Matches a value in which each further line begins with a space or a tab, and no further line is blank. */
const foldedValue = /^(?![ \t])[^\0\r\n]*(?:\n[ \t]+[^\0\r\n\t ][^\0\r\n]*)*$/;

function problemOf(value: string): string {
  if (/[\0\r]/.test(value)) return "has a NUL or a carriage return";
  if (/^[ \t]/.test(value)) return "starts with a space";
  if (/\n(?![ \t])/.test(value)) return "has a further line that does not start with a space";
  return "has a further line of spaces only";
}

/** Checks the conditions of rule T12 that depend only on the path, because clients refuse other paths. */
function checkFilename(filename: string): void {
  if (filename.length > maxLineLength / 8) throw badField("Filename", "is too long");
  if (/\p{Cc}|\\|^\s|\s$/u.test(filename)) {
    throw badField("Filename", "has a control character or a backslash, or a space at either end");
  }
  if (filename.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw badField("Filename", "must be a relative path without empty, . and .. segments");
  }
}

/** Matches the names of fields for a package file's path, size and digests. */
const aboutFile = /^(?:filename|size|md5.*|sha-?\d.*)$/i;

function badField(name: string, problem: string): FeedkeyError {
  return new FeedkeyError("bad_package", `field "${name}" ${problem}`, { details: { field: name } });
}
