/** The compressed forms of a pkgsrc feed's summary, as `archive.ini` and the command line name them. */
import type { SummaryForm } from "./types.ts";

/** All forms that feedkey can write. It always writes the first of them. */
export const summaryForms: readonly SummaryForm[] = ["gz", "xz", "zst"];

/**
 * Returns the requested forms in a fixed order, always with `gz`.
 * @param refuse makes the error for a word
 * @throws what `refuse` makes, for a word that is not a form or is repeated
 */
export function readSummaryForms<Word extends { readonly text: string }>(
  words: readonly Word[],
  refuse: (word: Word, problem: string, hint?: string) => Error,
): SummaryForm[] {
  const asked = new Set<string>();
  for (const word of words) {
    if (!summaryForms.some((form) => form === word.text)) {
      const hint =
        word.text === "bz2"
          ? "feedkey reads bzip2 but does not write it: choose gz, xz or zst"
          : "choose gz, xz or zst";
      throw refuse(word, `"${word.text}" is not a form in which summaries are written`, hint);
    }
    if (asked.has(word.text)) throw refuse(word, `form "${word.text}" appears twice`);
    asked.add(word.text);
  }
  return summaryForms.filter((form) => form === "gz" || asked.has(form));
}
