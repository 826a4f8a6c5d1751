/** The commands and their options, in the order of the man page. The work of each is in its own file, loaded when it runs. */
import type { Command } from "commander";
import { addArchiveCommands } from "./archive-commands.ts";
import { addClientCommands } from "./client-commands.ts";
import { addKeyCommands } from "./key-commands.ts";
import { addKeyLifeCommands } from "./key-life-commands.ts";
import { addOtherCommands } from "./other-commands.ts";
import type { Main, Runner } from "./run.ts";

/**
 * Adds all commands to the program.
 * @param main the program itself, for the demo to play with
 */
export function addCommands(program: Command, run: Runner, main: Main): void {
  addArchiveCommands(program, run);
  addKeyLifeCommands(program, run);
  addKeyCommands(program, run);
  addClientCommands(program, run);
  addOtherCommands(program, run, main);
}
