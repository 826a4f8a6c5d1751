/** Makes commander's program with its name and the global options, but without commands. */
import { Command } from "commander";
import { packageVersion } from "../files/package-version.ts";
import { helpSettings } from "./help/help.ts";

/** Makes the program. @param args the command line; feedkey reads package.json only if the arguments ask for the version */
export function makeProgram(args: readonly string[] = []): Command {
  const version = args.some((arg) => /^(-V|--version)$/.test(arg)) ? packageVersion() : "";
  return new Command("feedkey")
    .description("Publish, verify and fetch signed package feeds whose keys may change")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help on the program or on a command")
    .option(
      "--profile <name|file>",
      "the archive's profile (default: $FEEDKEY_PROFILE, or else the profile with the name default)",
    )
    .option("--state <dir>", "folder of the client state (default: $FEEDKEY_STATE or $XDG_STATE_HOME/feedkey)")
    .option("--home <dir>", "folder of the archive's key store (default: $FEEDKEY_HOME or $XDG_DATA_HOME/feedkey)")
    .option("--json", "write one JSON document to standard output")
    .option("--quiet", "print only errors and the results that a script needs")
    .option("--verbose", "print more details to standard error")
    .option("--debug", "print all details, including the call stack of each error")
    .option("--offline", "do not use the network")
    .option("--at <time>", "use this time (RFC 3339) instead of the system's clock")
    .option("--no-color", "print without colours (also if NO_COLOR is set)")
    .configureHelp(helpSettings)
    .showHelpAfterError(false)
    .exitOverride();
}
