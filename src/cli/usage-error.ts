/** Turns commander's errors into feedkey's errors. */
import type { CommanderError } from "commander";
import { FeedkeyError } from "../error.ts";

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
