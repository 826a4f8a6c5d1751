/** Defines the commands that change or transfer the archive's keys. */
import type { Command } from "commander";
import { defineDelegate, defineRevoke, defineRotate } from "./archive/key-life-options.ts";
import type { Runner } from "./run.ts";
import { withServers } from "./shared-options.ts";

/** Adds the commands rotate, revoke, delegate, rehearse, send and receive to the program. */
export function addKeyLifeCommands(program: Command, run: Runner): void {
  defineRotate(program.command("rotate").requiredOption("--config <file>", "archive.ini")).action(
    run("rotate", async () => (await import("./archive/rotate.ts")).rotate),
  );
  defineRevoke(
    program
      .command("revoke <fingerprint>")
      .option("--config <file>", "archive.ini of an archive: also update its key bundle"),
  ).action(run("revoke", async () => (await import("./archive/revoke.ts")).revoke));
  defineDelegate(
    program
      .command("delegate [certificate]")
      .option("--config <file>", "archive.ini of an archive: also update its key bundle"),
  ).action(run("delegate", async () => (await import("./archive/delegate.ts")).delegate));
  program
    .command("rehearse <command...>")
    .description(
      "run rotate, revoke or delegate on a copy of the archive, and show which clients would still accept the feeds",
    )
    .allowUnknownOption()
    .requiredOption("--config <file>", "archive.ini")
    .option("--publish-with <fingerprint>", "after that command, publish the copy with this key")
    .option("--fail-on-break", "exit with status 1 if a client that accepts the feeds now would refuse them afterwards")
    .action(run("rehearse", async () => (await import("./archive/rehearse.ts")).rehearse));
  withServers(program.command("send <fingerprint...>"))
    .description("send keys to key servers, and check that the servers return them")
    .option("--config <file>", "archive.ini that names the key servers")
    .action(run("send", async () => (await import("./archive/revoke.ts")).send));
  withServers(program.command("receive <fingerprint...>"))
    .description("get keys from key servers into the key store")
    .option("--config <file>", "archive.ini that names the key servers")
    .action(run("receive", async () => (await import("./archive/revoke.ts")).receive));
}
