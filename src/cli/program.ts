/** Makes the program without its commands: its name and the global options. */
import { Command } from "commander";
import { packageVersion } from "../files/package-version.ts";
import { helpSettings } from "./help/help.ts";

/** Makes the program. @param args the command line: package.json is read only if the arguments ask for the version */
export function makeProgram(args: readonly string[] = []): Command {
  const version = args.some((arg) => /^(-V|--version)$/.test(arg)) ? packageVersion() : "";
  return new Command("feedkey")
    .description("Publish, verify and fetch signed package feeds whose keys may change")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "help on the program, or on a command")
    .option(
      "--profile <name|file>",
      "the archive's profile (default: $FEEDKEY_PROFILE, else the profile called default)",
    )
    .option("--state <dir>", "client state (default: $FEEDKEY_STATE or $XDG_STATE_HOME/feedkey)")
    .option("--home <dir>", "the archive's key store (default: $FEEDKEY_HOME or $XDG_DATA_HOME/feedkey)")
    .option("--json", "one JSON document on standard output")
    .option("--quiet", "print only errors and what a script needs")
    .option("--verbose", "say more on standard error")
    .option("--debug", "say everything, including the stack of each error")
    .option("--offline", "ask no server")
    .option("--at <time>", "reference time instead of the clock (RFC 3339)")
    .option("--no-color", "no colour (also: NO_COLOR)")
    .configureHelp(helpSettings)
    .showHelpAfterError(false)
    .exitOverride();
}
