/**
 * Reads apt's `Release` file, which is also the text in `InRelease`. A Release file describes a suite and lists the suite's files
 * with size and digest. The reader is stricter than apt (T13). apt accepts MD5 together with SHA-256, a size from either list, and
 * a suite without a name.
 */
import { withoutTrailing } from "../../trailing.ts";
import { type FileDigests, isPlainPath } from "../digests.ts";
import { readSize } from "../entry-values.ts";
import { badText, LineCursor, type TextKind } from "../line-cursor.ts";
import { readDate } from "./date.ts";

const blanks = " \t\r\v\f";

const releaseText: TextKind = { name: "the Release file", code: "bad_index" };

export interface Release {
  readonly suite: string | undefined;
  readonly codename: string | undefined;
  readonly origin: string | undefined;
  readonly label: string | undefined;
  /** The date, in milliseconds. */
  readonly date: number;
  readonly validUntil: number | undefined;
  /** The components; undefined if the file has no such field. */
  readonly components: readonly string[] | undefined;
  readonly architectures: readonly string[] | undefined;
  readonly byHash: boolean;
  /** The listed files, by path below the Release file's folder. */
  readonly files: ReadonlyMap<string, FileDigests>;
}

/** The digest lists that feedkey reads, by lower-case field name, with their digits. feedkey ignores MD5 and SHA-1. */
const lists = { sha256: 64, sha512: 128 } as const;

type ListName = keyof typeof lists;

/**
 * Reads a Release file.
 * @throws FeedkeyError `bad_index`, with the line, if the file is malformed
 */
export function readRelease(bytes: Uint8Array): Release {
  const cursor = new LineCursor(bytes, releaseText);
  const fields = new Map<string, { value: string; readonly line: number }>();
  const files = new Map<string, FileDigests>();
  let field = "";
  let ended = false;
  while (cursor.next()) {
    const { kind, start, colon, end } = cursor;
    if (kind === "blank") {
      ended = fields.size > 0;
    } else if (ended) {
      throw cursor.error("begins a second paragraph");
    } else if (kind === "field") {
      field = cursor.bytes.toString("latin1", start, colon).toLowerCase();
      if (fields.has(field)) throw cursor.error(`gives the field "${field}" a second time`);
      const text = cursor.bytes.toString("utf8", colon + 1, end);
      // feedkey strips only ASCII blanks, as apt does: other blanks are part of a suite's name.
      const value = withoutTrailing(text, blanks).replace(/^[ \t\r\v\f]+/, "");
      if (Object.hasOwn(lists, field) && value !== "")
        throw cursor.error("must leave the first line of its list empty");
      fields.set(field, { value, line: cursor.line });
    } else if (Object.hasOwn(lists, field)) {
      addFile(files, field as ListName, cursor);
    }
  }
  if (files.size === 0) throw badText(releaseText, 1, "begins a text without a list of SHA-256 or SHA-512 digests");
  return interpret(fields, files);
}

function addFile(files: Map<string, FileDigests>, list: ListName, cursor: LineCursor): void {
  const text = cursor.bytes.toString("utf8", cursor.start, cursor.end);
  const [, hex = "", number, path = ""] = /^[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*$/.exec(text) ?? [];
  // feedkey refuses upper case, because apt treats an upper-case digest as a different digest.
  if (!/^[0-9a-f]+$/.test(hex) || hex.length !== lists[list]) {
    throw cursor.error(`does not begin with ${lists[list]} hex digits in lower case`);
  }
  const size = readSize(number);
  if (size === undefined) throw cursor.error("has no readable size");
  if (!isPlainPath(path)) throw cursor.error("has a path that is not plain");
  const known = files.get(path);
  if (known !== undefined && known.size !== size) throw cursor.error("gives a file a different size from a line above");
  if (known?.[list] !== undefined && known[list] !== hex)
    throw cursor.error("gives a file a different digest from a line above");
  files.set(path, { ...known, size, [list]: hex });
}

type Fields = ReadonlyMap<string, { readonly value: string; readonly line: number }>;

function interpret(fields: Fields, files: ReadonlyMap<string, FileDigests>): Release {
  const text = (name: string) => fields.get(name)?.value || undefined;
  const words = (name: string) => text(name)?.split(/[ \t]+/);
  const date = (name: string) => {
    const field = fields.get(name);
    if (field === undefined) return undefined;
    const found = readDate(field.value);
    if (found === undefined) throw badText(releaseText, field.line, "has a date that can't be read");
    return found;
  };
  const made = date("date");
  if (made === undefined) throw badText(releaseText, 1, "begins a text without a Date");
  const [suite, codename] = [text("suite"), text("codename")];
  if (suite === undefined && codename === undefined) {
    throw badText(releaseText, 1, "begins a text with neither a Suite nor a Codename");
  }
  return {
    suite,
    codename,
    origin: text("origin"),
    label: text("label"),
    date: made,
    validUntil: date("valid-until"),
    components: words("components"),
    architectures: words("architectures"),
    byHash: text("acquire-by-hash")?.toLowerCase() === "yes",
    files,
  };
}
