/** Matches names and versions against wildcards: `*` stands for any characters, `?` for one character. */

/** Whether a text has wildcards. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** Returns a function that tells whether a text is one of the given names, or matches one of the given patterns. */
export function matcher(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !isPattern(pattern)));
  // The function compares the parts between stars, because a regular expression with many stars could take unlimited time.
  const globs = patterns.filter((pattern) => !exact.has(pattern)).map((pattern) => pattern.split(/\*+/));
  return (text) => exact.has(text) || globs.some((glob) => matchesGlob(text, glob));
}

/** Whether a text starts with the first part, ends with the last part, and contains the other parts between these, in order. */
function matchesGlob(text: string, runs: readonly string[]): boolean {
  const [first = "", ...rest] = runs;
  const last = rest.pop();
  if (!isAt(text, 0, first)) return false;
  if (last === undefined) return text.length === first.length;
  const end = text.length - last.length;
  if (end < first.length || !isAt(text, end, last)) return false;
  let at = first.length;
  for (const run of rest) {
    while (at + run.length <= end && !isAt(text, at, run)) at++;
    if (at + run.length > end) return false;
    at += run.length;
  }
  return true;
}

/** Whether a text has a part at the given position; `?` in the part stands for any character. */
function isAt(text: string, at: number, run: string): boolean {
  for (let i = 0; i < run.length; i++) if (run[i] !== "?" && run[i] !== text[at + i]) return false;
  return true;
}
