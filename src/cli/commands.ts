/**
 * The commands and their options, in the order of the manual. feedkey loads the file with a command's action only when the
 * command runs.
 */
import type { Command } from "commander";
import { addArchiveCommands } from "./archive-commands.ts";
import { addClientCommands } from "./client-commands.ts";
import { addHelpFooters } from "./help/help.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addKeyLifeCommands } from "./key-life-commands.ts";
import { addCompletion, addOtherCommands } from "./other-commands.ts";
import { makeProgram } from "./program.ts";
import type { Main, Runner } from "./run.ts";

/** A group of commands that one file defines. The help lists the group under one heading. */
export interface CommandGroup {
  readonly heading: string;
  readonly names: readonly string[];
  add(program: Command, run: Runner, main: Main, everyCommand: () => Command): void;
}

const following: CommandGroup = {
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
      "mirror",
      "verify",
    ],
    "verify-package",
  ],
  add: addClientCommands,
};

/** The commands of the client part of feedkey, a build without the code for keepers (build/client-part.mjs). */
export const clientCommands: readonly CommandGroup[] = [
  following,
  { heading: "Other:", names: ["completion"], add: addCompletion },
];

/** All commands, in the order of the manual. */
export const allCommands: readonly CommandGroup[] = [
  { heading: "Publishing:", names: ["keygen", "sign", "publish", "sign-package"], add: addArchiveCommands },
  {
    heading: "An archive's keys:",
    names: ["rotate", "revoke", "delegate", "rehearse", "send", "receive"],
    add: addKeyLifeCommands,
  },
  { heading: "An archive's keys:", names: ["key"], add: addKeyCommands },
  following,
  { heading: "Other:", names: ["init", "serve", "completion", "demo"], add: addOtherCommands },
];

/**
 * Adds the groups' commands to the program. If the arguments name a command, adds only the group with this command, for a
 * faster start.
 * @param main the program itself, which the demo runs
 */
export function addCommands(
  groups: readonly CommandGroup[],
  program: Command,
  run: Runner,
  main: Main,
  args: readonly string[] = [],
): void {
  const asksForHelp = args.some((arg) => arg === "help" || arg === "--help" || arg === "-h");
  const named = groups.filter(({ names }) => names.some((name) => args.includes(name)));
  const everyCommand = () => {
    const every = makeProgram();
    addCommands(groups, every, run, main);
    return every;
  };
  for (const { heading, add } of asksForHelp || named.length === 0 ? groups : named) {
    program.commandsGroup(heading);
    add(program, run, main, everyCommand);
  }
  program.commandsGroup("Other:").helpCommand("help [command]", "help on a command");
  addHelpFooters(program);
}
