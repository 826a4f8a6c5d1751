/** Writing the stanzas of an opkg index. */
import { FeedkeyError } from "../../error.ts";
import { asBuffer, description, maxLineLength } from "../line-cursor.ts";
import { controlText, type Field, fieldText, parseControl } from "./field.ts";
import { OpkgScanner } from "./packages-text.ts";

/** A package's own fields as they appear in an index. */
export interface OwnWords {
  readonly name: string;
  readonly version: string;
  /** Empty where there is none. */
  readonly architecture: string;
  /** The stanza without the facts about the file. */
  readonly own: Uint8Array;
}

/**
 * Reads a package's control data.
 * @throws FeedkeyError `bad_package`: control data that an index can't contain
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

export interface PackageStanza {
  /** The package's own control fields (`parseControl`). */
  readonly control: readonly Field[];
  /** Path relative to the feed or the archive, with slashes. opkg knows no percent-encoding. */
  readonly filename: string;
  /** Bytes of the package file. */
  readonly size: number;
  /** Lower-case hex: released versions of opkg check only this digest. */
  readonly md5: string;
  /** Lower-case hex: opkg refuses upper case. */
  readonly sha256: string;
}

/**
 * The stanza of a package: its control fields in their order, then the file's path, size and digests.
 * The stanza ends in a newline; an empty line must follow before the next.
 * @throws FeedkeyError `bad_package`: control data that an index can't contain; `internal`: size or digests malformed
 */
export function packageStanza(entry: PackageStanza): Uint8Array {
  const { own, added } = stanzaParts(ownStanza(entry.control), fileFields(entry));
  return Buffer.concat([own, Buffer.from(added)]);
}

/**
 * A package's own fields as they appear in an index. Fields about the file in its control data are left out: a package
 * can't know its own digest.
 * @throws FeedkeyError `bad_package`: control data that an index can't contain
 */
export function ownStanza(control: readonly Field[]): Uint8Array {
  const own = control.filter(({ name }) => !aboutFile.test(name));
  const stanza = formatStanza(own);
  // An index that clients refuse must never be published: if a stanza is not obviously good, it is read as clients would read
  // it.
  if (!isPlainlyNamed(own)) new OpkgScanner(stanza, controlText).next();
  return stanza;
}

/** Whether name and version are there, and they and the architecture are words of plain ASCII. */
function isPlainlyNamed(own: readonly Field[]): boolean {
  const words = own.filter(({ name }) => /^(?:package|version|architecture)$/i.test(name));
  const named = words.filter(({ name }) => name.length < "architecture".length);
  return named.length === 2 && words.every(({ value }) => /^[!-~]+$/.test(value));
}

/**
 * A package's own stanza with additional fields: at its end, or before a description that must be last. The parts are not
 * copied yet.
 */
export function stanzaParts(own: Uint8Array, fields: string): { readonly own: Uint8Array; readonly added: string } {
  if (!hasBlankLine(own)) return { own, added: fields };
  const bytes = asBuffer(own);
  const place = (/\ndescription:/i.exec(bytes.toString("latin1"))?.index ?? bytes.length - 1) + 1;
  return { own: Buffer.concat([bytes.subarray(0, place), Buffer.from(fields), bytes.subarray(place)]), added: "" };
}

/** Whether the description of a stanza has a line of blanks, below which no field may follow. */
function hasBlankLine(stanza: Uint8Array): boolean {
  const bytes = asBuffer(stanza);
  // A quick check for the usual case, because every publish does this for every package.
  return (bytes.includes(" \n") || bytes.includes("\t\n")) && /\n[ \t]+\n/.test(bytes.toString("latin1"));
}

/** The digests that opkg reads, with the names that it knows. */
const opkgDigests = { MD5Sum: "md5", SHA256sum: "sha256" } as const;

/**
 * The fields for a package file's path, size and digests.
 * @param digests which are given, by the names of their fields
 * @throws FeedkeyError `bad_package`: a path that clients refuse; `internal`: size or digests malformed
 */
export function fileFields(
  file: Omit<PackageStanza, "control">,
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
 * The bytes of a stanza. Nothing is repaired: a value must already be folded, each further line starting with a space or a tab,
 * so that a value can't insert a field or a stanza.
 * @throws FeedkeyError `bad_package`: no fields, a field twice, or a name or value that could not be read back unchanged
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
      throw badField(name, "has a line of blanks, but is not the last field");
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

/** Each further line begins with a space or a tab. */
const foldedDescription = /^(?![ \t])[^\0\r\n]*(?:\n[ \t][^\0\r\n]*)*$/;

/** The same, and no further line is blank. */
const foldedValue = /^(?![ \t])[^\0\r\n]*(?:\n[ \t]+[^\0\r\n\t ][^\0\r\n]*)*$/;

function problemOf(value: string): string {
  if (/[\0\r]/.test(value)) return "has a NUL or a carriage return";
  if (/^[ \t]/.test(value)) return "starts with a space";
  if (/\n(?![ \t])/.test(value)) return "has a further line that does not start with a space";
  return "has a further line of spaces only";
}

/** T12, as far as it can be checked here: clients refuse to follow any other path. */
function checkFilename(filename: string): void {
  if (filename.length > maxLineLength / 8) throw badField("Filename", "is too long");
  if (/\p{Cc}|\\|^\s|\s$/u.test(filename)) {
    throw badField("Filename", "has a control character or a backslash, or a space at its ends");
  }
  if (filename.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw badField("Filename", "must be a relative path without empty, . and .. segments");
  }
}

/** Fields for a package file's path, size and digests. */
const aboutFile = /^(?:filename|size|md5.*|sha-?\d.*)$/i;

function badField(name: string, problem: string): FeedkeyError {
  return new FeedkeyError("bad_package", `field "${name}" ${problem}`, { details: { field: name } });
}
