/** Commands for the key store. */
import type { Command } from "commander";
import type { Runner } from "./run.ts";
import { withPassphrase, withServers, withWarnings } from "./shared-options.ts";

/** Adds `key` with its subcommands. */
export function addKeyCommands(program: Command, run: Runner): void {
  const key = program.command("key").description("look after the key store");
  withWarnings(key.command("list"))
    .description("the keys in it")
    .action(run("key", async () => (await import("./archive/key.ts")).list));
  key
    .command("show <fingerprint>")
    .description("everything that is known about a key")
    .action(run("key", async () => (await import("./archive/key.ts")).show));
  key
    .command("export [fingerprint...]")
    .description("certificates, armored, on standard output; or a secret key")
    .option("--secret", "the secret key, locked as it is, with its certificate")
    .option("--secret-subkeys", "the same without the primary key's secret: for a machine that only signs")
    .option("--for <program>", "what that program can read: gpg")
    .option("-o, --output <file>", "write a file instead; a secret key with mode 0600")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).exportKeys));
  withServers(withPassphrase(key.command("import <file...>")))
    .description("import keys, certificates and revocations made elsewhere")
    .option("--config <file>", "archive.ini of an archive whose bundle is updated and whose key servers are told")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).importKeys));
  withServers(withPassphrase(key.command("extend <fingerprint>")))
    .description("extend a key, even one that has expired")
    .requiredOption("--expires <length>", "when it expires, counted from now, such as 2y")
    .option("--config <file>", "archive.ini of an archive whose bundle is updated and whose key servers are told")
    .action(run("key", async () => (await import("./archive/key-extend.ts")).extend));
  withServers(withPassphrase(key.command("subkey <action> <fingerprint>")))
    .description("add: make a new signing subkey, where the primary key is")
    .requiredOption("-o, --output <file>", "write the key without its primary secret there, for the machine that signs")
    .option("--algorithm <name>", "of the subkey", "ed25519")
    .option("--expires <length>", "when the subkey expires, counted from now, or never", "2y")
    .option("--config <file>", "archive.ini of an archive whose bundle is updated and whose key servers are told")
    .action(run("key", async () => (await import("./archive/key-subkey.ts")).subkey));
  withPassphrase(key.command("passwd <fingerprint>"))
    .description("lock a secret key with another passphrase, or with none")
    .option("--new-passphrase-file <file>", "read the new one from the first line of a file; empty: none")
    .option("--new-passphrase-fd <n>", "read the new one from a file descriptor")
    .action(run("key", async () => (await import("./archive/key-change.ts")).passwd));
  key
    .command("delete <fingerprint>")
    .description("delete a key that has a copy elsewhere and is not needed here")
    .option("--backup <dir>", "a backup, or another key store, that has it too")
    .option("--config <file>", "archive.ini of an archive: a key that signs there is not deleted")
    .option("--force", "delete it even if it is the last copy or is needed")
    .option("--dry-run", "show what would be deleted, and any objections")
    .action(run("key", async () => (await import("./archive/key-change.ts")).remove));
  key
    .command("backup <dir>")
    .description("copy the whole key store and read it back")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).backup));
  key
    .command("restore <dir>")
    .description("restore a backup")
    .action(run("key", async () => (await import("./archive/key-transport.ts")).restore));
}
