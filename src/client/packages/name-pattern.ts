/** Matches names and versions with wildcards: `*` stands for any characters, `?` for one character. */

/** Whether a text has wildcards. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** Returns a test whether a text is one of these names, or matches one of these patterns. */
export function matcher(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !isPattern(pattern)));
  // The test compares the literal parts between stars, because a regular expression with many stars could take unlimited time.
  const globs = patterns.filter((pattern) => !exact.has(pattern)).map((pattern) => pattern.split(/\*+/));
  return (text) => exact.has(text) || globs.some((glob) => matchesGlob(text, glob));
}

/** Whether a text starts with the first part, ends with the last part, and has the other parts between them, in this order. */
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

/** Whether a part is at a position in a text; `?` stands for any character. */
function isAt(text: string, at: number, run: string): boolean {
  for (let i = 0; i < run.length; i++) if (run[i] !== "?" && run[i] !== text[at + i]) return false;
  return true;
}
