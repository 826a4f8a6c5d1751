/** Runs `feedkey completion SHELL`, and the command that the shells' scripts call: `feedkey completion words -- WORD...`. */
import type { Command } from "commander";
import { FeedkeyError, unlessRefused } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Context, GlobalOptions } from "../context.ts";
import type { Outcome } from "../run.ts";
import { expectedAt } from "./expected.ts";
import { completionScripts } from "./scripts.ts";
import { suggestionsFor } from "./values.ts";

/** Returns the global options that the user has already typed, such as the profile. */
function typedOptions(words: readonly string[]): GlobalOptions {
  const valueAfter = (name: string) => {
    const at = words.lastIndexOf(name);
    return at >= 0 ? words[at + 1] : words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  };
  const options = {
    profile: valueAfter("--profile"),
    state: valueAfter("--state"),
    home: valueAfter("--home"),
    at: valueAfter("--at"),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Returns a context with the typed options, for a client that asks no server. Ignores an incomplete `--at`. */
function typedContext(context: Context, words: readonly string[]): Context {
  const options = { ...typedOptions(words), offline: true };
  return unlessRefused(() => context.with(options)) ?? context.with({ ...options, at: undefined });
}

/**
 * Prints the script for a shell, or the words that can complete a line.
 * @param shell bash, zsh or fish to print the shell's script; `words` to print the words that can complete a line
 * @param words the words after the program's name; the user is typing the last one
 * @param program the program with all commands
 * @throws FeedkeyError `usage` if feedkey has no script for the shell
 */
export async function completion(
  context: Context,
  shell: string,
  words: readonly string[],
  program: Command,
): Promise<Outcome> {
  if (shell === "words") {
    const { files, words: found } = await suggestionsFor(
      expectedAt(program, words),
      typedContext(context, words),
      words.at(-1) ?? "",
    );
    const lines = found.map(({ word, description }) => `${word}\t${escapeText(description)}`);
    const text = [files ? "files" : "words", ...lines].join("\n");
    return { text, quiet: text, json: { files, words: found } };
  }
  const script = Object.entries(completionScripts)
    .find(([name]) => name === shell)?.[1]
    .trimEnd();
  if (script === undefined) {
    throw new FeedkeyError("usage", `there is no completion for "${escapeText(shell)}"`, {
      hint: `choose one of ${Object.keys(completionScripts).join(", ")}`,
    });
  }
  return { text: script, quiet: script, json: { shell, script } };
}
