/** Errors in the use of the command line: commander's, and words that are not among those expected. */

import type { CommanderError } from "commander";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/** Converts an error from commander. Leaves out the value of an unknown option, because the value may be a passphrase. */
export function usageError(error: CommanderError): FeedkeyError {
  const [first = "", guess = ""] = error.message.replace(/^error: /, "").split("\n");
  const message = first.replace(/^(unknown option '(?:--[^=']*|-[^-])).*$/, "$1'").replace(/\.$/, "");
  // Commander writes "(Did you mean --profile?)" on a line of its own.
  const [, meant] = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(guess) ?? [];
  const help = 'see "feedkey --help" or "feedkey COMMAND --help"';
  return new FeedkeyError("usage", message === "(outputHelp)" ? "no command given" : message, {
    hint: meant === undefined ? help : `did you mean ${meant}? ${help}`,
  });
}

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
