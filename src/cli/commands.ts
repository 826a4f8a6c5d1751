/** The commands and their options, in the order of the manual. The work of each is in its own file, loaded when it runs. */
import type { Command } from "commander";
import { addArchiveCommands } from "./archive-commands.ts";
import { addClientCommands } from "./client-commands.ts";
import { addHelpFooters } from "./help/help.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addKeyLifeCommands } from "./key-life-commands.ts";
import { addOtherCommands } from "./other-commands.ts";
import { makeProgram } from "./program.ts";
import type { Main, Runner } from "./run.ts";

/** Commands by the files that define them, in the order of the manual, under the headings that help shows. */
const groups: readonly {
  readonly heading: string;
  readonly names: readonly string[];
  add(program: Command, run: Runner, main: Main, everyCommand: () => Command): void;
}[] = [
  { heading: "Publishing:", names: ["keygen", "sign", "publish", "sign-package"], add: addArchiveCommands },
  {
    heading: "An archive's keys:",
    names: ["rotate", "revoke", "delegate", "rehearse", "send", "receive"],
    add: addKeyLifeCommands,
  },
  { heading: "An archive's keys:", names: ["key"], add: addKeyCommands },
  {
    heading: "Following an archive:",
    names: [
      ...[
        "profile",
        "refresh",
        "chain",
        "export",
        "setup",
        "status",
        "update",
        "list",
        "search",
        "show",
        "fetch",
        "verify",
      ],
      "verify-package",
    ],
    add: addClientCommands,
  },
  { heading: "Other:", names: ["init", "serve", "completion", "demo"], add: addOtherCommands },
];

/**
 * Adds commands to the program: all of them, or, if some are in the arguments, those of the same files. To define the others
 * would only make each start slower.
 * @param main the program itself, for the demo to play with
 */
export function addCommands(program: Command, run: Runner, main: Main, args: readonly string[] = []): void {
  const asksForHelp = args.some((arg) => arg === "help" || arg === "--help" || arg === "-h");
  const named = groups.filter(({ names }) => names.some((name) => args.includes(name)));
  for (const { heading, add } of asksForHelp || named.length === 0 ? groups : named) {
    program.commandsGroup(heading);
    add(program, run, main, everyCommand(run, main));
  }
  program.commandsGroup("Other:").helpCommand("help [command]", "help on a command");
  addHelpFooters(program);
}

/** Makes a program with all commands. */
function everyCommand(run: Runner, main: Main): () => Command {
  return () => {
    const program = makeProgram();
    addCommands(program, run, main);
    return program;
  };
}
