/** Defines the commands for the key store. */
import type { Command } from "commander";
import type { Runner } from "./run.ts";
import { withPassphrase, withServers, withWarnings } from "./shared-options.ts";

/** Adds the command `key` with its subcommands to the program. */
export function addKeyCommands(program: Command, run: Runner): void {
  const key = program.command("key").description("list, make copies of, and change the keys in the key store");
  withWarnings(key.command("list"))
    .description("list the keys in the key store")
    .action(run("key", async () => (await import("./archive/key.ts")).list));
  key
    .command("show <fingerprint>")
    .description("show everything that the key store knows about a key")
    .action(run("key", async () => (await import("./archive/key.ts")).show));
  key
    .command("export [fingerprint...]")
    .description("write armored certificates, or one secret key, to standard output")
    .option("--secret", "write the secret key with its certificate; a passphrase stays as it is")
    .option("--secret-subkeys", "as --secret, but without the secret of the primary key: for a machine that only signs")
    .option("--for <program>", "leave out the keys that the program can't read (only value: gpg)")
    .option("-o, --output <file>", "write to a file (mode 0600 for a secret key) instead of standard output")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).exportKeys));
  withServers(withPassphrase(key.command("import <file...>")))
    .description("import keys, certificates and revocations that were made elsewhere")
    .option(
      "--config <file>",
      "archive.ini of an archive: also update its key bundle, and send the key to its key servers",
    )
    .action(run("key", async () => (await import("./archive/key-transport.ts")).importKeys));
  withServers(withPassphrase(key.command("extend <fingerprint>")))
    .description("extend a key, even one that has expired")
    .requiredOption("--expires <length>", "when the key expires, counted from now, such as 2y")
    .option(
      "--config <file>",
      "archive.ini of an archive: also update its key bundle, and send the key to its key servers",
    )
    .action(run("key", async () => (await import("./archive/key-extend.ts")).extend));
  withServers(withPassphrase(key.command("subkey <action> <fingerprint>")))
    .description("make a new signing subkey (the action is add), on the machine that has the primary key")
    .requiredOption(
      "-o, --output <file>",
      "write the key, without the secret of the primary key, to a file for the machine that signs",
    )
    .option("--algorithm <name>", "algorithm of the subkey", "ed25519")
    .option("--expires <length>", "when the subkey expires, counted from now, or never", "2y")
    .option(
      "--config <file>",
      "archive.ini of an archive: also update its key bundle, and send the key to its key servers",
    )
    .action(run("key", async () => (await import("./archive/key-subkey.ts")).subkey));
  withPassphrase(key.command("passwd <fingerprint>"))
    .description("change or remove the passphrase of a secret key")
    .option(
      "--new-passphrase-file <file>",
      "read the new passphrase from the first line of a file; an empty line means no passphrase",
    )
    .option("--new-passphrase-fd <n>", "read the new passphrase from a file descriptor")
    .action(run("key", async () => (await import("./archive/key-change.ts")).passwd));
  key
    .command("delete <fingerprint>")
    .description("delete a key from the key store, if it has a copy elsewhere and is not needed here")
    .option("--backup <dir>", "a backup or another key store that also has the key")
    .option(
      "--config <file>",
      "archive.ini of the archive that is published from this key store; feedkey does not delete a key that signs for this archive",
    )
    .option("--force", "delete the key even if this is the last copy, or the key is needed")
    .option("--dry-run", "show what would be deleted, and any objections")
    .action(run("key", async () => (await import("./archive/key-change.ts")).remove));
  key
    .command("backup <dir>")
    .description("copy the whole key store to a folder, and check the copy")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).backup));
  key
    .command("restore <dir>")
    .description("copy the keys of a backup into the key store")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).restore));
}
