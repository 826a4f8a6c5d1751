/** Commands that change or transfer the archive's keys. */
import type { Command } from "commander";
import type { ServerOptions } from "./archive/archive-terms.ts";
import type { DelegateCommandOptions } from "./archive/delegate.ts";
import { defineDelegate, defineRevoke, defineRotate } from "./archive/key-life-options.ts";
import type { RehearseOptions } from "./archive/rehearse.ts";
import type { RevokeOptions } from "./archive/revoke.ts";
import type { RotateOptions } from "./archive/rotate.ts";
import type { Runner } from "./run.ts";
import { withServers } from "./shared-options.ts";

/** Adds rotate, revoke, delegate, rehearse, send and receive. */
export function addKeyLifeCommands(program: Command, run: Runner): void {
  defineRotate(program.command("rotate").requiredOption("--config <file>", "archive.ini")).action(
    (options: RotateOptions) => {
      return run("rotate", async (context) => (await import("./archive/rotate.ts")).rotate(context, options));
    },
  );
  defineRevoke(
    program
      .command("revoke <fingerprint>")
      .option("--config <file>", "archive.ini of an archive whose key bundle is updated too"),
  ).action((fingerprint: string, options: RevokeOptions) => {
    return run("revoke", async (context) =>
      (await import("./archive/revoke.ts")).revoke(context, fingerprint, options),
    );
  });
  defineDelegate(
    program
      .command("delegate [certificate]")
      .option("--config <file>", "archive.ini of an archive whose key bundle is updated too"),
  ).action((certificate: string | undefined, options: DelegateCommandOptions) => {
    return run("delegate", async (context) =>
      (await import("./archive/delegate.ts")).delegate(context, certificate, options),
    );
  });
  program
    .command("rehearse <command...>")
    .description("take a step on a copy of the archive, and show who would still accept the feeds")
    .allowUnknownOption()
    .requiredOption("--config <file>", "archive.ini")
    .option("--publish-with <fingerprint>", "after the step, publish with that key")
    .option("--fail-on-break", "exit 1 if a client that accepts the feeds now would refuse them afterwards")
    .action((words: string[], options: RehearseOptions) => {
      return run("rehearse", async (context) =>
        (await import("./archive/rehearse.ts")).rehearse(context, words, options),
      );
    });
  withServers(program.command("send <fingerprint...>"))
    .description("put keys on key servers and read them back")
    .option("--config <file>", "archive.ini that names the key servers")
    .action((fingerprints: string[], options: ServerOptions) => {
      return run("send", async (context) => (await import("./archive/revoke.ts")).send(context, fingerprints, options));
    });
  withServers(program.command("receive <fingerprint...>"))
    .description("get keys from key servers into the key store")
    .option("--config <file>", "archive.ini that names the key servers")
    .action((fingerprints: string[], options: ServerOptions) => {
      return run("receive", async (context) =>
        (await import("./archive/revoke.ts")).receive(context, fingerprints, options),
      );
    });
}
