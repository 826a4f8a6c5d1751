/** The commands and their options, in the order of the man page. The work of each is in its own file, loaded when it runs. */
import type { Command } from "commander";
import { addArchiveCommands } from "./archive-commands.ts";
import { addClientCommands } from "./client-commands.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addKeyLifeCommands } from "./key-life-commands.ts";
import { addOtherCommands } from "./other-commands.ts";
import { makeProgram } from "./program.ts";
import type { Main, Runner } from "./run.ts";

/** Commands by the files that define them, in the order of the man page. */
const groups: readonly {
  readonly names: readonly string[];
  add(program: Command, run: Runner, main: Main, everyCommand: () => Command): void;
}[] = [
  { names: ["keygen", "sign", "publish", "sign-package"], add: addArchiveCommands },
  { names: ["rotate", "revoke", "delegate", "rehearse", "send", "receive"], add: addKeyLifeCommands },
  { names: ["key"], add: addKeyCommands },
  {
    names: [
      ...["profile", "refresh", "chain", "export", "setup", "status", "update", "list", "show", "fetch", "verify"],
      "verify-package",
    ],
    add: addClientCommands,
  },
  { names: ["serve", "completion", "demo"], add: addOtherCommands },
];

/**
 * Adds commands to the program: all of them, or, if some are in the arguments, those of the same files. To define the others
 * would only make each start slower.
 * @param main the program itself, for the demo to play with
 */
export function addCommands(program: Command, run: Runner, main: Main, args: readonly string[] = []): void {
  const asksForHelp = args.some((arg) => arg === "help" || arg === "--help" || arg === "-h");
  const named = groups.filter(({ names }) => names.some((name) => args.includes(name)));
  for (const { add } of asksForHelp || named.length === 0 ? groups : named)
    add(program, run, main, everyCommand(run, main));
}

/** Makes a program with all commands. */
function everyCommand(run: Runner, main: Main): () => Command {
  return () => {
    const program = makeProgram();
    addCommands(program, run, main);
    return program;
  };
}
