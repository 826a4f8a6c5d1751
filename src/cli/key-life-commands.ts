/** Commands of the life of an archive's keys. */
import type { Command } from "commander";
import type { ServerOptions } from "./archive-terms.ts";
import type { DelegateCommandOptions } from "./delegate.ts";
import type { RevokeOptions } from "./revoke.ts";
import type { RotateOptions } from "./rotate.ts";
import type { Runner } from "./run.ts";
import { withPassphrase, withServers } from "./shared-options.ts";

/** Adds rotate, revoke, delegate, send and receive. */
export function addKeyLifeCommands(program: Command, run: Runner): void {
  withServers(withPassphrase(program.command("rotate")))
    .description("key transition: make and certify the successor, later let it sign")
    .requiredOption("--config <file>", "archive.ini")
    .option("--algorithm <name>", "of the new key", "ed25519")
    .option("--expires <length>", "how long the new key holds, or never", "2y")
    .option("--overlap <length>", "how long both keys are at work", "30d")
    .option("--to <fingerprint>", "a key of the key store instead of a new one")
    .option("--backup <dir>", "copy the new key's revocation certificates there")
    .option("--finish", "second step: the successor signs from now on")
    .option("--at-once", "both steps")
    .option("--abandon", "withdraw a successor that went wrong")
    .option("--status", "where the rotation stands")
    .option("--retire", "with --finish: revoke the old key as superseded")
    .option("--force", "without backup, before the overlap ends, or although clients lose their chain")
    .option("--dry-run", "print the plan and change nothing")
    .action((options: RotateOptions) => {
      return run("rotate", async (context) => (await import("./rotate.ts")).rotate(context, options));
    });
  withServers(withPassphrase(program.command("revoke <fingerprint>")))
    .description("revoke a key, after showing who loses their chain")
    .requiredOption("--reason <word>", "compromised, superseded, retired or unspecified")
    .option("--config <file>", "archive.ini: the bundle is written anew")
    .option("--force", "although clients lose their chain")
    .option("--dry-run", "show who loses their chain and change nothing")
    .action((fingerprint: string, options: RevokeOptions) => {
      return run("revoke", async (context) => (await import("./revoke.ts")).revoke(context, fingerprint, options));
    });
  withServers(withPassphrase(program.command("delegate [certificate]")))
    .description("let another key sign some feeds for a time; works on files alone")
    .option("--key <fingerprint>", "the key that delegates")
    .option("--feeds <globs>", "which feeds, with commas", "*")
    .option("--depth <n>", "how many further delegations may follow", "0")
    .option("--expires <length>", "how long it holds")
    .option("--withdraw", "take it back, for good")
    .option("--status", "list what has been delegated, by whom, until when; changes nothing")
    .option("-o, --output <file>", "write the certified certificate there, with its whole path")
    .option("--dry-run", "show who would get what and change nothing")
    .option("--config <file>", "archive.ini: the bundle is written anew")
    .action((certificate: string | undefined, options: DelegateCommandOptions) => {
      return run("delegate", async (context) =>
        (await import("./delegate.ts")).delegate(context, certificate, options),
      );
    });
  withServers(program.command("send <fingerprint...>"))
    .description("put keys on key servers and read them back")
    .option("--config <file>", "archive.ini: its key servers")
    .action((fingerprints: string[], options: ServerOptions) => {
      return run("send", async (context) => (await import("./revoke.ts")).send(context, fingerprints, options));
    });
  withServers(program.command("receive <fingerprint...>"))
    .description("get keys from key servers into the key store")
    .option("--config <file>", "archive.ini: its key servers")
    .action((fingerprints: string[], options: ServerOptions) => {
      return run("receive", async (context) => (await import("./revoke.ts")).receive(context, fingerprints, options));
    });
}
