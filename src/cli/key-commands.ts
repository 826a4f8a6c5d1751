/** Commands of the key store. */
import type { Command } from "commander";
import type { PassphraseOptions } from "./passphrase.ts";
import type { Runner } from "./run.ts";
import { withPassphrase } from "./shared-options.ts";

/** Adds "key" with its own commands. */
export function addKeyCommands(program: Command, run: Runner): void {
  const key = program.command("key").description("look after the key store");
  key
    .command("list")
    .description("the keys in it")
    .action(() => run("key", async (context) => (await import("./key.ts")).list(context)));
  key
    .command("export [fingerprint...]")
    .description("certificates, armored, on standard output")
    .action((names: string[]) => run("key", async (context) => (await import("./key.ts")).exportKeys(context, names)));
  withPassphrase(key.command("import <file>"))
    .description("take in keys made elsewhere (gpg --export-secret-keys)")
    .action((file: string, options: PassphraseOptions) => {
      return run("key", async (context) => (await import("./key.ts")).importKeys(context, file, options));
    });
  key
    .command("backup <dir>")
    .description("copy the whole key store and read it back")
    .action((folder: string) => run("key", async (context) => (await import("./key.ts")).backup(context, folder)));
  key
    .command("restore <dir>")
    .description("bring a backup back")
    .action((folder: string) => run("key", async (context) => (await import("./key.ts")).restore(context, folder)));
}
