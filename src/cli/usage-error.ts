/** Makes the errors about wrong command lines: those that commander reports, and unknown words. */

import type { CommanderError } from "commander";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/** Converts an error from commander to a `FeedkeyError`. Leaves out the value of an unknown option, which may be a passphrase. */
export function usageError(error: CommanderError): FeedkeyError {
  const [first = "", guess = ""] = error.message.replace(/^error: /, "").split("\n");
  const message = first.replace(/^(unknown option '(?:--[^=']*|-[^-])).*$/, "$1'").replace(/\.$/, "");
  // Commander writes "(Did you mean --profile?)" on the second line.
  const [, meant] = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(guess) ?? [];
  const help = 'see "feedkey --help" or "feedkey COMMAND --help"';
  return new FeedkeyError("usage", message === "(outputHelp)" ? "no command given" : message, {
    hint: meant === undefined ? help : `did you mean ${meant}? ${help}`,
  });
}

/**
 * Returns the text as one of the possible words.
 * @param what the meaning of the word in messages, such as "algorithm"
 * @throws FeedkeyError `usage` if the text is not one of these words
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
