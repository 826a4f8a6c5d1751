/** Guessing what a mistyped word was meant to be. */

/** The known word with the fewest edits (insert, delete, replace) for its length, whatever the case. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Beyond this length no word is a slip of the finger; the table grows with it.
  const start = word.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const edits = editDistance(start, candidate.toLowerCase()) / Math.max(start.length, candidate.length);
    if (edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replace = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
