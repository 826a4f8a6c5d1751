/** Makes the program without its commands: its name and the global options. */
import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { helpSettings } from "./help/help.ts";

/** Returns the version in package.json, with the commit if the commit was known at build time. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const commit = new URL("../../commit", import.meta.url);
  return existsSync(commit) ? `${version} (${readFileSync(commit, "utf8").trim()})` : version;
}

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
