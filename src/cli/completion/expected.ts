/** Finds the words that can complete a command line, from the commands and options that are defined in commander. */
import type { Argument, Command, Option } from "commander";

/**
 * What can complete a line: some words, and a kind of values, which is the name of an argument or of an option's value, such as
 * `package` or `file`.
 */
export interface Expected {
  readonly words: readonly Suggestion[];
  /** The kind of values that can also complete the line; undefined if only the words can. */
  readonly value: string | undefined;
  /** The option that takes the value, such as `--feed`. */
  readonly option?: string;
  /** The part of the last word that stays as it is, such as `--feed=`. */
  readonly prefix: string;
  /** The command on the line, with its parent commands, without the program's name. */
  readonly command: readonly string[];
}

export interface Suggestion {
  readonly word: string;
  /** A one-line description of the word, for shells that show descriptions. */
  readonly description: string;
}

const longForm = (option: Option) => option.long ?? option.short ?? "";
const takesValue = (option: Option) => option.required || option.optional;

/** Returns the name between the brackets in `<name|file>`, `[dir]` or `<feed...>`. */
function valueName(option: Option): string {
  return /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? "";
}

/** A command line that is being parsed: the command that was found so far, and the number of its arguments. */
class Line {
  command: Command;
  arguments = 0;
  /** The option whose value is the next word. */
  waiting: Option | undefined;
  readonly path: string[] = [];
  readonly #global: readonly Option[];

  constructor(program: Command) {
    this.command = program;
    this.#global = program.options;
  }

  get options(): readonly Option[] {
    const own = this.path.length === 0 ? [] : this.command.options;
    return [...own, ...this.#global].filter((option) => !option.hidden);
  }

  find(word: string): Option | undefined {
    return this.options.find((option) => option.long === word || option.short === word);
  }

  /** Parses one whole word. */
  take(word: string): void {
    if (this.waiting !== undefined) {
      this.waiting = undefined;
    } else if (word.startsWith("-") && word !== "-") {
      const option = this.find(word);
      if (option !== undefined && takesValue(option)) this.waiting = option;
    } else {
      const inner = this.command.commands.find((one) => one.name() === word);
      if (inner === undefined) this.arguments++;
      else {
        this.command = inner;
        this.path.push(word);
      }
    }
  }

  /** The next argument; undefined if the command takes no more arguments. */
  get argument(): Argument | undefined {
    const all = this.command.registeredArguments;
    const last = all.at(-1);
    return all[this.arguments] ?? (last?.variadic === true ? last : undefined);
  }
}

/**
 * Returns the words and values that can complete a line.
 * @param program the program with all its commands
 * @param words the words after the program's name; the last word, which may be empty, is the word to complete
 */
export function expectedAt(program: Command, words: readonly string[]): Expected {
  const line = new Line(program);
  for (const word of words.slice(0, -1)) line.take(word);
  const last = words.at(-1) ?? "";
  const command = line.path;
  const valueExpected = (option: Option, prefix: string): Expected => {
    const words = (option.argChoices ?? []).map((word) => ({ word, description: "" }));
    return {
      words,
      value: words.length > 0 ? undefined : valueName(option),
      option: longForm(option),
      prefix,
      command,
    };
  };
  if (line.waiting !== undefined) return valueExpected(line.waiting, "");
  const equals = last.indexOf("=");
  if (last.startsWith("--") && equals > 0) {
    const option = line.find(last.slice(0, equals));
    if (option !== undefined && takesValue(option)) return valueExpected(option, last.slice(0, equals + 1));
    return { words: [], value: undefined, prefix: "", command };
  }
  if (last.startsWith("-")) {
    const words = line.options.map((option) => ({ word: longForm(option), description: option.description }));
    return { words: [...words, { word: "--help", description: "show help" }], value: undefined, prefix: "", command };
  }
  const { argument } = line;
  const inner = line.command.commands.map((one) => ({ word: one.name(), description: one.description() }));
  return { words: argument === undefined ? inner : [], value: argument?.name(), prefix: "", command };
}
