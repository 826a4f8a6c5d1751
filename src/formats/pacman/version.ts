/**
 * Compares pacman versions, `[EPOCH:]VERSION[-RELEASE]`, like alpm_pkg_vercmp (lib/libalpm/version.c). The order resembles rpm's,
 * but `~` has no meaning. A word after equal segments makes a version older: 1.0rc1 is before 1.0.
 */

interface Parts {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

/** Returns a negative number if `a` is older, positive if `a` is newer, else 0. A release counts only if both versions have a release. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [one, other] = [split(a), split(b)];
  const main = compareText(one.epoch, other.epoch) || compareText(one.version, other.version);
  if (main !== 0 || one.release === undefined || other.release === undefined) return main;
  return compareText(one.release, other.release);
}

function split(text: string): Parts {
  const [, epoch, rest = ""] = /^(?:([0-9]*):)?(.*)$/s.exec(text) ?? [];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: epoch || "0",
    version: dash === -1 ? rest : rest.slice(0, dash),
    release: dash === -1 ? undefined : rest.slice(dash + 1),
  };
}

/** Matches a run of separators, then a run of digits or of letters. Both runs may be missing at the end. */
const segment = /([^0-9A-Za-z]*)([0-9]+|[A-Za-z]+|)/y;

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  let [at, bt] = [0, 0];
  while (at < a.length && bt < b.length) {
    const [one, other] = [segmentAt(a, at), segmentAt(b, bt)];
    if (one.word === "" || other.word === "") {
      // At least one of the versions has only separators left.
      at += one.separator.length;
      bt += other.separator.length;
      break;
    }
    if (one.separator.length !== other.separator.length) return one.separator.length - other.separator.length;
    const order = compareWords(one.word, other.word);
    if (order !== 0) return order;
    at += one.separator.length + one.word.length;
    bt += other.separator.length + other.word.length;
  }
  return compareRests(a[at], b[bt]);
}

function segmentAt(text: string, at: number): { separator: string; word: string } {
  segment.lastIndex = at;
  const [, separator = "", word = ""] = segment.exec(text) ?? [];
  return { separator, word };
}

const isDigit = (text: string) => /^[0-9]/.test(text);
const isLetter = (text: string) => /^[A-Za-z]/.test(text);

/** Compares two segments. A number is newer than a word. */
function compareWords(a: string, b: string): number {
  if (isDigit(a) !== isDigit(b)) return isDigit(a) ? 1 : -1;
  const [one, other] = isDigit(a) ? [a, b].map((digits) => digits.replace(/^0+/, "")) : [a, b];
  if (one === undefined || other === undefined || one === other) return 0;
  if (isDigit(a) && one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : 1;
}

/** Compares the remaining parts if one version has ended. The other version is older if its part begins with letters, else newer. */
function compareRests(a: string | undefined, b: string | undefined): number {
  if (a === undefined && b === undefined) return 0;
  if ((a === undefined && !isLetter(b ?? "")) || (a !== undefined && isLetter(a))) return -1;
  return 1;
}
