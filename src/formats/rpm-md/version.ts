/** Compares rpm versions, `EPOCH:VERSION-RELEASE`, like rpmvercmp in rpm 4.15 and later, which supports `~` and `^`. */

/** Returns a negative number if `a` is older, positive if `a` is newer, else 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return (
    compareParts(left.epoch, right.epoch) ||
    compareParts(left.version, right.version) ||
    // If only one version has a release, even an empty one, then the version with the release is newer.
    Number(left.release !== undefined) - Number(right.release !== undefined) ||
    compareParts(left.release ?? "", right.release ?? "")
  );
}

function split(text: string) {
  const [, epoch = "0", rest = ""] = /^(?:(\d*):)?(.*)$/s.exec(text) ?? [];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: epoch === "" ? "0" : epoch,
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  };
}

/** Matches a segment: digits, letters, `~` or `^`. All other characters only separate segments. */
const segment = /\d+|[A-Za-z]+|[~^]/g;

function compareParts(a: string, b: string): number {
  const [left, right] = [a.match(segment) ?? [], b.match(segment) ?? []];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = compareSegments(left[at], right[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns the rank of a segment. The order is: `~`, the end of the version, `^`, letters, numbers. */
function rank(text: string | undefined): number {
  if (text === undefined) return 1;
  if (text === "~") return 0;
  if (text === "^") return 2;
  return /^\d/.test(text) ? 4 : 3;
}

function compareSegments(a: string | undefined, b: string | undefined): number {
  const kind = rank(a);
  if (kind !== rank(b) || a === undefined || b === undefined) return kind - rank(b);
  // The code compares numbers as text, because a number may be too long for JavaScript.
  const [left, right] = kind === 4 ? [a, b].map((number) => number.replace(/^0+/, "")) : [a, b];
  if (left === undefined || right === undefined || left === right) return 0;
  if (kind === 4 && left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : 1;
}
