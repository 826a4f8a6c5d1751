/**
 * Reads the form of configuration files: sections, keys and values, each with its line. The package `ini` decodes values, but feedkey does
 * not use its parser, which merges sections, drops what it does not understand, and does not report line numbers. feedkey refuses a
 * misspelt line, because it could be the line that switches a check on.
 */
import { unsafe } from "ini";
import type { ErrorAt } from "./config-error.ts";

export interface IniValue {
  readonly text: string;
  /** The line number, counted from 1. */
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly values: ReadonlyMap<string, IniValue>;
}

/**
 * Reads the sections in their order. Lines end with LF or CRLF; a byte order mark may come first. A comment starts with `;` or `#` at the
 * start of a line, or with `;` after a space. A value needs double quotes, as a JSON string, if it contains ` ;`, has spaces at its ends,
 * or starts with a quote; `\;`, `\#` and `\\` work without quotes.
 * @throws what `errorAt` makes, for a line that is not a section, a key with a value, or a comment; for a key outside a section; and for a
 * repeated section or key
 */
export function readIni(text: string, errorAt: ErrorAt): IniSection[] {
  const sections = new Map<string, IniSection>();
  let values: Map<string, IniValue> | undefined;
  const lines = text.replace(/^\ufeff/, "").split("\n");
  for (const [index, raw] of lines.entries()) {
    const number = index + 1;
    const line = trimBlank(raw.replace(/\r$/, ""));
    if (isControlled(line)) throw errorAt(number, "the line has a control character");
    if (line === "" || line.startsWith(";") || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      const name = sectionName(line, number, errorAt);
      const earlier = sections.get(name);
      if (earlier !== undefined) {
        throw errorAt(number, `section [${name}] appears twice, first in line ${earlier.line}`);
      }
      values = new Map();
      sections.set(name, { name, line: number, values });
      continue;
    }
    const [, key, value] = /^([A-Za-z0-9_.-]+)[ \t]*=(.*)$/s.exec(line) ?? [];
    if (key === undefined || value === undefined) {
      throw errorAt(number, "the line is neither a section, nor a key with a value, nor a comment");
    }
    if (values === undefined) throw errorAt(number, `key "${key}" is outside of any section`);
    const earlier = values.get(key);
    if (earlier !== undefined) throw errorAt(number, `key "${key}" appears twice, first in line ${earlier.line}`);
    values.set(key, { text: decodeValue(trimBlank(value), number, errorAt), line: number });
  }
  return [...sections.values()];
}

/**
 * Encodes a value so that `readIni` reads the same value again. The value stays unchanged if possible; otherwise it is put into quotes, on
 * one line.
 */
export function encodeValue(text: string): string {
  return /^[^"';#\\\p{Cc}]+$/u.test(text) && text === text.trim() ? text : JSON.stringify(text);
}

function sectionName(line: string, number: number, errorAt: ErrorAt): string {
  const [, name] = /^\[([^[\]]*)\]([ \t]*|[ \t]+;.*)$/s.exec(line) ?? [];
  if (name === undefined) throw errorAt(number, "the section is not closed by ] at the end of the line");
  const trimmed = trimBlank(name).replace(/[ \t]+/g, " ");
  if (trimmed === "") throw errorAt(number, "the section has no name");
  return trimmed;
}

function decodeValue(text: string, number: number, errorAt: ErrorAt): string {
  if (text.startsWith('"')) {
    const [, quoted] = /^("(?:[^"\\]|\\.)*")([ \t]*|[ \t]+;.*)$/s.exec(text) ?? [];
    // If the text in quotes is not a valid JSON string, the library returns the text unchanged.
    const decoded = quoted === undefined ? undefined : unsafe(quoted);
    if (decoded === undefined || decoded === quoted) {
      throw errorAt(number, "the value in double quotes is not a valid JSON string");
    }
    if (isControlled(decoded)) throw errorAt(number, "the value has a control character");
    return decoded;
  }
  if (text.startsWith("'"))
    throw errorAt(number, "the value starts with a single quote", 'put the value into "double quotes"');
  const bare = trimBlank(text.replace(/(^|[ \t]);.*$/s, ""));
  // The library trims every kind of space, and takes any ; or # as the start of a comment. In feedkey's format, only plain spaces and tabs
  // are trimmed.
  if (bare !== bare.trim()) {
    throw errorAt(
      number,
      "the value begins or ends with a space character other than a plain space or tab",
      'put the value into "double quotes"',
    );
  }
  return unsafe(bare.replace(/\\.|[;#]/gs, (found) => (found.length === 1 ? `\\${found}` : found)));
}

/** Whether a text has control characters other than the tab. Configuration files need none, and some can hide text in an editor. */
function isControlled(text: string): boolean {
  return /[^\P{Cc}\t]/u.test(text);
}

/** Removes spaces and tabs at the ends. A regular expression would take quadratic time for long runs of spaces. */
function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
