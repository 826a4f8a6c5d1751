/** Commander's complaints in the program's own form. */
import type { CommanderError } from "commander";
import { FeedkeyError } from "../error.ts";

/** Makes commander's complaint one of ours. What was given to an unknown option is left out: it may be a passphrase. */
export function usageError(error: CommanderError): FeedkeyError {
  const message = error.message
    .replace(/^error: /, "")
    .replace(/\n.*$/s, "")
    .replace(/^(unknown option '(?:--[^=']*|-[^-])).*$/, "$1'")
    .replace(/\.$/, "");
  return new FeedkeyError("usage", message === "(outputHelp)" ? "no command is named" : message, {
    hint: 'see "feedkey --help" or "feedkey COMMAND --help"',
  });
}
