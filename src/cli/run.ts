/** Turns a command's outcome into text or JSON and an exit status, in the same way for all commands. */
import { type Details, exitStatus, FeedkeyError, mostSeriousOf, systemCode } from "../error.ts";
import { escapeJson, escapeLines } from "../escape.ts";
import { Context, type GlobalOptions } from "./context.ts";
import { CliReporter } from "./reporter.ts";
import { hintOf } from "./usual-hint.ts";

/** The result of a command. feedkey prints the errors in addition to the text. */
export interface Outcome {
  /** Text for people, on standard output, without a final line feed. */
  readonly text: string;
  /** The text that feedkey prints with `--quiet`, for scripts; by default nothing. */
  readonly quiet?: string;
  /** The fields of the JSON document, in addition to schema, ok and error. */
  readonly json: Details;
  readonly errors?: readonly FeedkeyError[];
}

/** The stream to which feedkey writes a command's result. */
interface Output {
  write(text: string): void;
}

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The whole program as a function that takes the arguments and returns the exit status. */
export type Main = (args: readonly string[], streams: Streams) => Promise<number>;

/** A command's function. Commander passes it the command's arguments, then the options. */
type Action<Given extends unknown[]> = (context: Context, ...given: Given) => Promise<Outcome>;

/** Makes commander's action for a command. The action loads the command's function, runs this function, and prints the result. */
export type Runner = <Given extends unknown[]>(
  command: string,
  load: () => Promise<Action<Given>>,
) => (...given: Given) => Promise<void>;

/** Makes the reporter for the global options. */
export function makeReporter(options: GlobalOptions, streams: Streams): CliReporter {
  return new CliReporter({
    json: options.json === true,
    quiet: options.quiet === true,
    verbose: options.verbose === true || options.debug === true,
    color: options.color !== false && (streams.env.NO_COLOR ?? "") === "" && streams.stderr.isTTY === true,
    stderr: streams.stderr,
  });
}

/** Returns the name of a library that Node.js did not find; undefined for other errors, also if a file of feedkey is missing. */
function missingLibrary(error: unknown, message: string): string | undefined {
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(systemCode(error) ?? "")) return undefined;
  return /^Cannot find (?:module|package) '([^./][^']*)'/.exec(message)?.[1];
}

function asFeedkeyError(error: unknown): FeedkeyError {
  if (error instanceof FeedkeyError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const library = missingLibrary(error, message);
  if (library !== undefined) {
    return new FeedkeyError("internal", `the library ${library}, which this command needs, is not installed`, {
      cause: error,
      details: { library },
      hint: 'run "npm ci --omit=dev" in the folder of feedkey',
    });
  }
  return new FeedkeyError("internal", `unexpected: ${message}`, {
    cause: error,
  });
}

function errorJson(error: FeedkeyError): Details {
  const { code, message, details } = error;
  return { code, message, details, hint: hintOf(error) };
}

function printErrors(
  errors: readonly FeedkeyError[],
  reporter: CliReporter,
  options: GlobalOptions,
  streams: Streams,
): void {
  for (const error of errors) {
    reporter.line("error", error.message);
    reporter.line("hint", hintOf(error));
    if (options.debug === true) streams.stderr.write(`${escapeLines(stackOf(error))}\n`);
  }
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

/** Runs a command and prints its result. @returns the exit status of the most serious error; 0 if there is no error */
export async function run(
  command: string,
  options: GlobalOptions,
  streams: Streams,
  output: Output,
  action: (context: Context) => Promise<Outcome>,
): Promise<number> {
  const reporter = makeReporter(options, streams);
  await reporter.prepare();
  let outcome: Outcome;
  try {
    outcome = await action(new Context(options, reporter));
  } catch (error) {
    outcome = { text: "", json: {}, errors: [asFeedkeyError(error)] };
  }
  return render(command, outcome, reporter, options, streams, output);
}

/** Prints an outcome. @returns the exit status */
export function render(
  command: string,
  { text, quiet = "", json, errors = [] }: Outcome,
  reporter: CliReporter,
  options: GlobalOptions,
  streams: Streams,
  output: Output,
): number {
  const worst = mostSeriousOf(errors);
  if (options.json === true) {
    const document = {
      schema: `feedkey.${command}/1`,
      ok: worst === undefined,
      ...(worst === undefined ? {} : { error: errorJson(worst) }),
      ...(errors.length > 1 ? { errors: errors.map(errorJson) } : {}),
      ...json,
      ...(reporter.warnings.length > 0 ? { warnings: reporter.warnings } : {}),
    };
    output.write(`${escapeJson(JSON.stringify(document, null, 2))}\n`);
    if (options.debug === true) for (const error of errors) streams.stderr.write(`${escapeLines(stackOf(error))}\n`);
  } else {
    const shown = options.quiet === true ? quiet : text;
    if (shown !== "") output.write(`${shown}\n`);
    printErrors(errors, reporter, options, streams);
  }
  return worst === undefined ? 0 : exitStatus(worst.code);
}
