/** Reads an argument that must be one of some words. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/**
 * Returns the word that a text is.
 * @param what the kind of the word, for the message
 * @throws FeedkeyError `usage` if the text is none of the words
 */
export function oneOf<Word extends string>(
  text: string,
  words: readonly Word[],
  what: string,
  hint = `choose one of ${words.join(", ")}`,
): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new FeedkeyError("usage", `there is no ${what} "${escapeText(text)}"`, { hint });
}
