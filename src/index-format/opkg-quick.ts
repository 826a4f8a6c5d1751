/**
 * The quick scan of a `Packages` text: one loop over its bytes that takes what is plainly in order, and gives up at
 * whatever is not: then the scanner of `opkg.ts` reads the text, and says what is wrong with it or that nothing is.
 * So a verdict never depends on this file. It is there because 50 MB cost that scanner 320 ms and this loop 90.
 */
import { digestLength, type Role, role, roleCount, roleOf } from "./field-names.ts";
import { isHex, isSame, lineEnd } from "./four-bytes.ts";
import { hashStart, hashStep, maxLineLength, nameByte } from "./line-cursor.ts";
import { Columns } from "./package-columns.ts";
import { maxStanzaLength } from "./stanza-chunks.ts";

const colon = 0x3a;
const hash = 0x23;
const minus = 0x2d;

/** More different names than this are for the other scanner to count. */
const maxNames = 500;

/**
 * The field names met so far, by number, each as it was spelled first: the next stanza has mostly the same ones in the same
 * order, so that one comparison with the follower of the field before tells which it is.
 */
class Names {
  readonly #byText = new Map<string, number>();
  readonly roles: Role[] = [];
  /** Where a name stands first, and its length. */
  readonly places: number[] = [];
  readonly lengths: number[] = [];
  /** The name that came after this one last time. */
  readonly followers: number[] = [];
  /** Number of the last stanza that had this field, in any spelling, from 1. */
  readonly seenIn: number[] = [];
  /** The number of the same name as it was spelled first. */
  readonly same: number[] = [];

  /** The number of the name at a place; -1 if it is none, or one too many. */
  at(bytes: Buffer, start: number, to: number): number {
    const first = bytes[start];
    let end = start;
    while (end < to && nameByte[bytes[end] ?? 0] !== 0) end++;
    if (end === start || end >= to || bytes[end] !== colon || first === hash || first === minus) return -1;
    const text = bytes.toString("latin1", start, end);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const number = this.places.length;
    if (number >= maxNames) return -1;
    const lower = text.toLowerCase();
    const same = this.#byText.get(lower) ?? number;
    this.#byText.set(text, number);
    if (same === number) this.#byText.set(lower, number);
    this.roles.push(Object.hasOwn(roleOf, lower) ? (roleOf[lower] ?? role.other) : role.other);
    this.places.push(start);
    this.lengths.push(end - start);
    this.followers.push(-1);
    this.seenIn.push(0);
    this.same.push(same);
    return number;
  }
}

/**
 * Scans whole stanzas.
 * @param bytes the text, which must hold neither NUL nor carriage return
 * @param from where the first line begins
 * @param to where the last line ends: behind its newline, or at the end of the text
 * @param firstLine the number of the line at `from`
 * @returns undefined where anything is not plainly in order
 */
export function scanQuickly(bytes: Buffer, from: number, to: number, firstLine: number): Columns | undefined {
  // As locals: the bundle makes variables of an outer function of a module's constants, to be read anew at each turn.
  const [newline, space, tab, other, lastWord, longestLine] = [10, 32, 9, role.other, role.architecture, maxLineLength];
  const digits = Int32Array.from(digestLength);
  const columns = new Columns(Math.ceil((to - from) / 512));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names = new Names();
  const { roles, places, lengths, followers, seenIn, same } = names;
  const starts = new Int32Array(roleCount);
  const ends = new Int32Array(roleCount);
  let stanza = 0;
  let stanzaAt = -1;
  let stanzaLine = 0;
  let before = 0;
  let current: Role | -1 = -1;
  let line = firstLine;
  for (let at = from; at < to; line++) {
    const start = at;
    const first = bytes[at];
    if (first === newline) {
      if (stanzaAt !== -1 && !finish(bytes, columns, starts, ends, stanzaAt, stanzaLine, at)) return undefined;
      stanzaAt = -1;
      current = -1;
      at++;
      continue;
    }
    if (first === space || first === tab) {
      // A field of one line, or none at all, is not to be continued, and never by nothing.
      if (current !== other) return undefined;
      at = textStart(bytes, at + 1, to);
      if (at >= to || bytes[at] === newline) return undefined;
      at = lineEnd(view, at, to);
      if (at - start > longestLine) return undefined;
      at++;
      continue;
    }
    if (stanzaAt === -1) {
      stanza++;
      stanzaAt = start;
      stanzaLine = line;
      starts.fill(-1);
    }
    let name = followers[before] ?? -1;
    let length = (lengths[name] ?? 0) + 1;
    // The colon belongs to the comparison: else a longer name would do.
    if (name === -1 || start + length > to || !isSame(view, start, places[name] ?? 0, length)) {
      name = names.at(bytes, start, to);
      if (name === -1) return undefined;
      length = (lengths[name] ?? 0) + 1;
      followers[before] = name;
    }
    before = name;
    const spelling = same[name] ?? 0;
    if (seenIn[spelling] === stanza) return undefined;
    seenIn[spelling] = stanza;
    current = roles[name] ?? other;
    at = lineEnd(view, start + length, to);
    if (at - start > longestLine) return undefined;
    if (current !== other) {
      // Two spellings of one field: the other scanner compares them.
      if (starts[current] !== -1) return undefined;
      const valueAt = textStart(bytes, start + length, at);
      const valueEnd = textEnd(bytes, valueAt, at);
      const wanted = digits[current] ?? 0;
      if (wanted > 0) {
        if (valueEnd - valueAt !== wanted || !isHex(view, valueAt, wanted)) return undefined;
      } else if (current <= lastWord && !isWord(bytes, valueAt, valueEnd)) {
        return undefined;
      }
      starts[current] = valueAt;
      ends[current] = valueEnd;
    }
    at++;
  }
  if (stanzaAt !== -1 && !finish(bytes, columns, starts, ends, stanzaAt, stanzaLine, to)) return undefined;
  return columns;
}

/** The first byte that is no blank. */
function textStart(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  return at;
}

/** Behind the last byte that is no blank. */
function textEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = to;
  while (at > from && (bytes[at - 1] === 0x20 || bytes[at - 1] === 0x09)) at--;
  return at;
}

/** Whether there is a word of plain ASCII. */
function isWord(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte <= 0x20 || byte >= 0x7f) return false;
  }
  return to > from;
}

/** Notes a stanza that has ended. */
function finish(
  bytes: Uint8Array,
  columns: Columns,
  starts: Int32Array,
  ends: Int32Array,
  offset: number,
  line: number,
  end: number,
): boolean {
  if (end - offset > maxStanzaLength) return false;
  if (starts[role.package] === -1 || starts[role.version] === -1) return false;
  const name = hashRange(bytes, starts[role.package] ?? 0, ends[role.package] ?? 0, hashStart);
  let key = hashRange(bytes, starts[role.version] ?? 0, ends[role.version] ?? 0, hashStep(name, 0));
  key = hashStep(key, 0);
  if (starts[role.architecture] !== -1) {
    key = hashRange(bytes, starts[role.architecture] ?? 0, ends[role.architecture] ?? 0, key);
  }
  let file = hashStart;
  const fileAt = starts[role.filename] ?? -1;
  if (fileAt !== -1) {
    const fileEnd = ends[role.filename] ?? 0;
    let base = fileEnd;
    while (base > fileAt && bytes[base - 1] !== 0x2f) base--;
    file = hashRange(bytes, base, fileEnd, file);
  }
  columns.add(offset, line, name, key, file);
  return true;
}

function hashRange(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let value = seed;
  for (let at = from; at < to; at++) value = Math.imul(value ^ (bytes[at] ?? 0), 0x01000193);
  return value;
}
