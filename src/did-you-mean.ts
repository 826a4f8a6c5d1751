/** Guesses which word a user meant but mistyped. */

/**
 * Returns a hint that asks `did you mean "base"?` before `otherwise`. If no known word is similar, the hint is only `otherwise`.
 * @param otherwise the rest of the hint, in lower case and without a full stop
 */
export function didYouMean(word: string, known: Iterable<string>, otherwise: string): string {
  const guess = nearest(word, known);
  return guess === undefined || edits(word, guess) > 0.4 ? otherwise : `did you mean "${guess}"? ${otherwise}`;
}

/**
 * Returns the known word that differs least from a word: by the number of edits (insert, delete, replace or swap letters)
 * relative to the length. Ignores case.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const count = edits(word, candidate);
    if (count < fewest) {
      best = candidate;
      fewest = count;
    }
  }
  return best;
}

/**
 * Returns the number of edits divided by the length of the longer word. Compares only the first 64 characters, because the time
 * grows with the square of the length.
 */
function edits(word: string, known: string): number {
  const [a, b] = [word, known].map((one) => one.slice(0, 64).toLowerCase());
  return editDistance(a ?? "", b ?? "") / Math.max(word.length, known.length, 1);
}

/** Returns the optimal string alignment distance between two texts. Keeps only the last two rows of the table. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replace = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const isSwapped = j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swap = isSwapped ? (before[j - 1] ?? 0) + 1 : replace;
      next.push(Math.min(swap, replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
