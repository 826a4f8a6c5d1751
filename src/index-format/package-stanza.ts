/** Writing the stanzas of an opkg index. */
import { FeedkeyError } from "../error.ts";
import { controlText, type Field } from "./field.ts";
import { asBuffer, maxLineLength, nameByte } from "./line-cursor.ts";
import { OpkgScanner } from "./opkg.ts";

export interface PackageStanza {
  /** The package's own control fields (`parseControl`). */
  readonly control: readonly Field[];
  /** Path relative to the feed or the archive, with slashes. opkg knows no percent-encoding. */
  readonly filename: string;
  /** Bytes of the package file. */
  readonly size: number;
  /** Lower-case hex: opkg as released checks nothing else. */
  readonly md5: string;
  /** Lower-case hex: opkg refuses upper case. */
  readonly sha256: string;
}

/**
 * The stanza of a package: its control fields in their order, then where the file lies and what it hashes to.
 * The stanza ends in a newline; an empty line must follow before the next.
 * @throws FeedkeyError `bad_package`: control data that cannot stand in an index; `internal`: size or digests malformed
 */
export function packageStanza(entry: PackageStanza): Uint8Array {
  return withFileFields(ownStanza(entry.control), entry);
}

/**
 * What a package says of itself, as it stands in an index. Control data that brings fields about the file loses them: a
 * package does not say what it hashes to.
 * @throws FeedkeyError `bad_package`: control data that cannot stand in an index
 */
export function ownStanza(control: readonly Field[]): Uint8Array {
  const own = control.filter((field) => !isAboutFile(field.name));
  const stanza = formatStanza(own);
  // What is published must never be an index that clients refuse: read it as they will, where that is not plain to see.
  if (!isPlainlyNamed(own)) new OpkgScanner(stanza, controlText).next();
  return stanza;
}

/** Whether name and version are there, and they and the architecture are words of plain ASCII. */
function isPlainlyNamed(own: readonly Field[]): boolean {
  const words = own.filter(({ name }) => /^(package|version|architecture)$/i.test(name));
  const named = words.filter(({ name }) => !/^architecture$/i.test(name)).length;
  return (
    named === 2 && words.every(({ value }) => value.length > 0 && value.every((byte) => byte > 0x20 && byte < 0x7f))
  );
}

/**
 * A package's own stanza with where the file lies and what it hashes to.
 * @throws FeedkeyError `bad_package`: a path that clients refuse; `internal`: size or digests malformed
 */
export function withFileFields(own: Uint8Array, file: Omit<PackageStanza, "control">): Uint8Array {
  return Buffer.concat([own, Buffer.from(fileFields(file))]);
}

/**
 * Where a package file lies and what it hashes to, as it follows its own stanza.
 * @throws FeedkeyError as `withFileFields`
 */
export function fileFields(file: Omit<PackageStanza, "control">): string {
  const { filename, size, md5, sha256 } = file;
  if (!Number.isSafeInteger(size) || size < 0 || !/^[0-9a-f]{32}$/.test(md5) || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new FeedkeyError("internal", "size or digests of a package are malformed", {
      details: { size, md5, sha256 },
    });
  }
  checkFilename(filename);
  return `Filename: ${filename}\nSize: ${size}\nMD5Sum: ${md5}\nSHA256sum: ${sha256}\n`;
}

/**
 * The bytes of a stanza. Nothing is repaired: a value must already be folded, each further line starting with a space
 * or a tab, so that no value can bring in a field or a stanza of its own.
 * @throws FeedkeyError `bad_package`: no fields, one twice, a name or value that would not read back as it is
 */
export function formatStanza(fields: readonly Field[]): Uint8Array {
  if (fields.length === 0) throw new FeedkeyError("bad_package", "a stanza needs at least one field");
  const parts: Uint8Array[] = [];
  const seen = new Set<string>();
  for (const { name, value } of fields) {
    checkName(name);
    if (seen.has(name.toLowerCase())) throw badField(name, "stands there twice");
    seen.add(name.toLowerCase());
    checkValue(name, value);
    const bare = value.length === 0 || value[0] === 0x0a;
    parts.push(Buffer.from(bare ? `${name}:` : `${name}: `, "latin1"), value, Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

function checkName(name: string): void {
  const legal = [...name].every((character) => (nameByte[character.codePointAt(0) ?? 0] ?? 0) !== 0);
  if (name === "" || !legal || /^[#-]/.test(name)) throw badField(name, "is no legal field name");
}

function checkValue(name: string, value: Uint8Array): void {
  // One line, as most values are: nothing else can be wrong with it.
  const first = value[0];
  const isShort = value.length < maxLineLength / 2 && name.length < maxLineLength / 2;
  if (isShort && first !== 0x20 && first !== 0x09 && !/[\0\r\n]/.test(asBuffer(value).toString("latin1"))) return;
  checkFoldedValue(name, value);
}

function checkFoldedValue(name: string, value: Uint8Array): void {
  const text = Buffer.from(value).toString("latin1");
  if (/[\0\r]/.test(text)) throw badField(name, "holds a NUL or a carriage return");
  const [head = "", ...further] = text.split("\n");
  if (name.length + text.length > maxLineLength - 2) throw badField(name, "is too long");
  if (/^[ \t]/.test(head)) throw badField(name, "starts with a space");
  for (const line of further) {
    if (!/^[ \t]/.test(line)) throw badField(name, "has a further line that does not start with a space");
    if (!/[^ \t]/.test(line)) throw badField(name, "has a further line that holds nothing but spaces");
  }
}

/** T12 as far as it can be told here: clients refuse to follow any other path. */
function checkFilename(filename: string): void {
  if (filename.length > maxLineLength / 8) throw badField("Filename", "is too long");
  if (/\p{Cc}|\\|^\s|\s$/u.test(filename)) {
    throw badField("Filename", "holds a control character or a backslash, or has a space at its ends");
  }
  if (filename.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw badField("Filename", "must be a relative path without empty, . and .. segments");
  }
}

/** Fields that tell where a package file lies and what it hashes to. */
function isAboutFile(name: string): boolean {
  return /^(filename|size|md5.*|sha-?\d.*)$/i.test(name);
}

function badField(name: string, problem: string): FeedkeyError {
  return new FeedkeyError("bad_package", `field "${name}" ${problem}`, { details: { field: name } });
}
