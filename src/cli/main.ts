/** The command line: parses the options, runs one command, returns an exit status. */
import { CommanderError } from "commander";
import { exitStatus } from "../error.ts";
import { forgetDescriptors } from "./asking/read-descriptor.ts";
import { addCommands, allCommands, type CommandGroup } from "./commands.ts";
import type { Context, GlobalOptions } from "./context.ts";
import { helpWidth } from "./help/help.ts";
import { makeProgram } from "./program.ts";
import { makeReporter, type Runner, render, run, type Streams } from "./run.ts";
import { StandardOutput } from "./standard-output.ts";
import { fitTablesTo } from "./table.ts";
import { usageError } from "./usage-error.ts";
import { hintOf } from "./usual-hint.ts";

/**
 * Returns a function that runs one command line with the given commands. The function takes the arguments without the program's
 * name, and returns the exit status ("Exit status" in man/feedkey.md). If a command succeeded but feedkey could not write its
 * output, the status is that of `output`.
 */
export function mainOf(
  groups: readonly CommandGroup[],
): (args: readonly string[], streams?: Streams) => Promise<number> {
  return async (args, streams = process) => {
    // If feedkey can't write to standard error, the exit status must stay the same.
    streams.stderr.on("error", () => undefined);
    const output = new StandardOutput(streams.stdout);
    const status = await runLine(args, streams, output, groups);
    const failure = await output.failure();
    if (failure === undefined) return status;
    const reporter = makeReporter({}, streams);
    reporter.line("error", failure.message);
    reporter.line("hint", hintOf(failure));
    return status === 0 ? exitStatus(failure.code) : status;
  };
}

/** The whole program, with all commands. */
export const main = /* @__PURE__ */ mainOf(allCommands);

async function runLine(
  args: readonly string[],
  streams: Streams,
  output: StandardOutput,
  groups: readonly CommandGroup[],
): Promise<number> {
  let status = 0;
  forgetDescriptors();
  fitTablesTo(streams.stdout);
  const program = makeProgram(args);
  const runner: Runner =
    (command, load) =>
    async (...given) => {
      // biome-ignore lint/plugin: commander passes few arguments; a list of words is one of them
      const action = async (context: Context) => await (await load())(context, ...given);
      status = await run(command, program.opts<GlobalOptions>(), streams, output, action);
    };
  let complaint = "";
  program.configureOutput({
    getOutHelpWidth: () => helpWidth(streams.stdout),
    getErrHelpWidth: () => helpWidth(streams.stderr),
    writeOut: (text) => output.write(text),
    writeErr: (text) => {
      complaint += text;
    },
  });
  addCommands(groups, program, runner, mainOf(groups), args);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // After a usage error, commander may not have parsed all options.
    const options: GlobalOptions = {
      ...program.opts<GlobalOptions>(),
      ...(args.includes("--json") ? { json: true } : {}),
    };
    if (error.code === "commander.help" && options.json !== true) streams.stderr.write(complaint);
    const name = program.commands.find((command) => args.includes(command.name()))?.name() ?? "feedkey";
    return render(
      name,
      { text: "", json: {}, errors: [usageError(error)] },
      makeReporter(options, streams),
      options,
      streams,
      output,
    );
  }
  return status;
}
