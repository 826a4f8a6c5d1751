/** The layout of `--help`. build/man-pages.mjs makes the manual pages from the same command definitions. */
import { type Command, Help, type Option } from "commander";
import { examples } from "./examples.ts";

/** The options that many commands share; the help lists these options after the other options of a command. */
const shared = new Set(["--warn-within", "--keyserver", "--keyserver-ca", "--passphrase-file", "--passphrase-fd"]);

/** The settings for commander's help, in which no line is longer than 80 columns. */
export const helpSettings: Partial<Help> = {
  showGlobalOptions: true,
  minWidthToWrap: 20,
  visibleOptions(this: Help, command: Command): Option[] {
    const options = Help.prototype.visibleOptions.call(this, command);
    const rank = ({ long }: Option) => (long === "--help" ? 2 : shared.has(long ?? "") ? 1 : 0);
    return options.sort((a, b) => rank(a) - rank(b));
  },
  subcommandTerm: (command: Command) => command.name(),
};

/** Returns the width of the help in columns: that of the terminal, but at most 80. */
export function helpWidth({ columns = 80 }: { readonly columns?: number }): number {
  return Math.min(columns, 80);
}

/** Returns the name of a command with the names of its parent commands, without the program's name: `key export`. */
export function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? "" : `${pathOf(parent)} ${command.name()}`.trim();
}

/** Adds the examples and the name of the manual page to the help of a command and of its subcommands. */
export function addHelpFooters(command: Command): void {
  const path = pathOf(command);
  const lines = examples[path] ?? [];
  const page = ["feedkey", path.split(" ")[0]].filter(Boolean).join("-");
  const shown = lines.length > 0 ? ["Examples:", ...lines.map((line) => `  ${line}`), ""] : [];
  command.addHelpText("after", ["", ...shown, `Manual: man ${page}`].join("\n"));
  for (const below of command.commands) addHelpFooters(below);
}
