/** Commands of the key store. */
import type { Command } from "commander";
import type { WarnOptions } from "./archive/archive-terms.ts";
import type { ImportOptions } from "./archive/key.ts";
import type { ExtendOptions } from "./archive/key-extend.ts";
import type { SubkeyOptions } from "./archive/key-subkey.ts";
import type { Runner } from "./run.ts";
import { withPassphrase, withServers, withWarnings } from "./shared-options.ts";

/** Adds "key" with its own commands. */
export function addKeyCommands(program: Command, run: Runner): void {
  const key = program.command("key").description("look after the key store");
  withWarnings(key.command("list"))
    .description("the keys in it")
    .action((options: WarnOptions) =>
      run("key", async (context) => (await import("./archive/key.ts")).list(context, options)),
    );
  key
    .command("export [fingerprint...]")
    .description("certificates, armored, on standard output")
    .action((names: string[]) =>
      run("key", async (context) => (await import("./archive/key.ts")).exportKeys(context, names)),
    );
  withServers(withPassphrase(key.command("import <file...>")))
    .description("take in keys, certificates and revocations made elsewhere")
    .option("--config <file>", "archive.ini: the bundle is written anew, its key servers are told")
    .action((files: string[], options: ImportOptions) => {
      return run("key", async (context) => (await import("./archive/key.ts")).importKeys(context, files, options));
    });
  withServers(withPassphrase(key.command("extend <fingerprint>")))
    .description("let a key hold longer, also one that has expired")
    .requiredOption("--expires <length>", "how long from now on, such as 2y")
    .option("--config <file>", "archive.ini: the bundle is written anew, its key servers are told")
    .action((fingerprint: string, options: ExtendOptions) => {
      return run("key", async (context) =>
        (await import("./archive/key-extend.ts")).extend(context, fingerprint, options),
      );
    });
  withServers(withPassphrase(key.command("subkey <action> <fingerprint>")))
    .description("add: make a new signing subkey, where the primary key is")
    .requiredOption("-o, --output <file>", "the key without its primary, for the machine that signs")
    .option("--algorithm <name>", "of the subkey", "ed25519")
    .option("--expires <length>", "how long the subkey lasts, or never", "2y")
    .option("--config <file>", "archive.ini: the bundle is written again, its key servers are told")
    .action((action: string, fingerprint: string, options: SubkeyOptions) => {
      return run("key", async (context) =>
        (await import("./archive/key-subkey.ts")).subkey(context, action, fingerprint, options),
      );
    });
  key
    .command("backup <dir>")
    .description("copy the whole key store and read it back")
    .action((folder: string) =>
      run("key", async (context) => (await import("./archive/key.ts")).backup(context, folder)),
    );
  key
    .command("restore <dir>")
    .description("bring a backup back")
    .action((folder: string) =>
      run("key", async (context) => (await import("./archive/key.ts")).restore(context, folder)),
    );
}
