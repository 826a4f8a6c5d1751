/** The commands and their options, in the order of the man page. The work of each is in its own file, loaded when it runs. */
import type { Command } from "commander";
import type { ServerOptions } from "./archive-terms.ts";
import type { ChainOptions } from "./chain.ts";
import type { DelegateCommandOptions } from "./delegate.ts";
import type { ExportOptions } from "./export.ts";
import type { FetchOptions } from "./fetch.ts";
import type { KeygenOptions } from "./keygen.ts";
import type { PassphraseOptions } from "./passphrase.ts";
import type { ProfileInitOptions } from "./profile.ts";
import type { PublishCommandOptions } from "./publish.ts";
import type { RevokeOptions } from "./revoke.ts";
import type { RotateOptions } from "./rotate.ts";
import type { Main, Runner } from "./run.ts";
import type { ServeOptions } from "./serve.ts";
import type { SignCommandOptions } from "./sign.ts";
import type { SignPackageOptions } from "./sign-package.ts";
import type { UpdateOptions } from "./update.ts";
import type { VerifyOptions } from "./verify.ts";
import type { VerifyPackageOptions } from "./verify-package.ts";

function withPassphrase(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "read the passphrase from the first line of a file")
    .option("--passphrase-fd <n>", "read the passphrase from a file descriptor");
}

function addArchiveCommands(program: Command, run: Runner): void {
  withPassphrase(program.command("keygen"))
    .description("make a key, its certificate and its revocation certificates")
    .requiredOption("--user-id <uid>", '"Name <address>"')
    .option("--algorithm <name>", "ed25519, rsa3072, rsa4096, p256 or ed25519-v6", "ed25519")
    .option("--expires <length>", "how long the key holds, or never", "2y")
    .option("--offline-primary <dir>", "put the whole key into that key store, keep only a signing subkey here")
    .action((options: KeygenOptions) => {
      return run("keygen", async (context) => (await import("./keygen.ts")).keygen(context, options));
    });
  withPassphrase(program.command("sign <index...>"))
    .description("sign indexes: writes INDEX.asc and INDEX.sig")
    .requiredOption("--key <fingerprint>", "the key that signs")
    .option("--feed <name>", "the feed that it is signed for")
    .option("--add-checksums", "first add size and SHA-256 of the packages beside it to a pkg_summary")
    .option("--valid-for <length>", "how long the signature holds, or never", "14d")
    .action((indexes: string[], options: SignCommandOptions) => {
      return run("sign", async (context) => (await import("./sign.ts")).sign(context, indexes, options));
    });
  withPassphrase(program.command("publish [dir]"))
    .description("write and sign the indexes of a folder or an archive, with its key bundle")
    .option("--config <file>", "archive.ini")
    .option("--key <fingerprint>", "the key that signs")
    .option("--feed <name>", "name of the feed in DIR (default: the folder's)")
    .option("--format <name>", "format of the feed in DIR: opkg or pkgsrc (default: opkg)")
    .option("--valid-for <length>", "how long the signatures hold (default: archive.ini's, or 14d)")
    .option("--skip-bad", "leave damaged packages out; exits 1 if there were any")
    .option("--allow-empty", "publish an index that became empty")
    .option("--dry-run", "print the plan and change nothing")
    .action((folder: string | undefined, options: PublishCommandOptions) => {
      return run("publish", async (context) => (await import("./publish.ts")).publish(context, folder, options));
    });
  withPassphrase(program.command("sign-package <file...>"))
    .description("sign pkgsrc packages for pkg_add")
    .requiredOption("--key <fingerprint>", "the key that signs, RSA")
    .option("-o, --output <dir>", "where the signed packages go (default: in the place of the unsigned)")
    .action((files: string[], options: SignPackageOptions) => {
      return run("sign-package", async (context) => {
        return (await import("./sign-package.ts")).signPackage(context, files, options);
      });
    });
}

function withServers(command: Command): Command {
  return command
    .option("--keyserver <url...>", "key servers, hkps://... (default: those of archive.ini or the profile)")
    .option("--keyserver-ca <file>", "PEM certificates of their authority");
}

function addKeyLifeCommands(program: Command, run: Runner): void {
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
  withServers(withPassphrase(program.command("delegate <certificate>")))
    .description("let another key sign some feeds for a time; works on files alone")
    .requiredOption("--key <fingerprint>", "the key that delegates")
    .option("--feeds <globs>", "which feeds, with commas", "*")
    .option("--depth <n>", "how many further delegations may follow", "0")
    .option("--expires <length>", "how long it holds")
    .option("--withdraw", "take it back; CERTIFICATE is the delegate's fingerprint then")
    .option("-o, --output <file>", "write the certified certificate there")
    .option("--config <file>", "archive.ini: the bundle is written anew")
    .action((certificate: string, options: DelegateCommandOptions) => {
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

function addKeyCommands(program: Command, run: Runner): void {
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

function addClientCommands(program: Command, run: Runner): void {
  const profile = program.command("profile").description("profiles of archives");
  profile
    .command("list")
    .description("profiles at hand")
    .action(() => run("profile", async (context) => (await import("./profile.ts")).list(context)));
  profile
    .command("show [name]")
    .description("what a profile says")
    .action((name?: string) => run("profile", async (context) => (await import("./profile.ts")).show(context, name)));
  profile
    .command("check [name]")
    .description("whether a profile and its keyring are in order")
    .action((name?: string) => run("profile", async (context) => (await import("./profile.ts")).check(context, name)));
  profile
    .command("init <url>")
    .description("write a profile from an archive's bundle, for the fingerprint given")
    .requiredOption("--fingerprint <fpr...>", "full fingerprint of the archive's key, from a source you trust")
    .option("--name <name>", "name of the profile (default: the host)")
    .option("--feed <name=path...>", "feeds of the archive")
    .option("--keyservers <urls>", "hkps://... with commas, or none", "none")
    .option("-o, --output <dir>", "where to write it", ".")
    .action((url: string, options: ProfileInitOptions) => {
      return run("profile", async (context) => (await import("./profile-init.ts")).init(context, url, options));
    });
  program
    .command("refresh")
    .description("ask the key servers and the archive for successors and revocations")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((options: ChainOptions) => {
      return run("refresh", async (context) => (await import("./chain.ts")).refresh(context, options));
    });
  program
    .command("chain")
    .description("how each trusted key hangs on a seed, and why each other key does not")
    .option("--dot", "a graph for Graphviz")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((options: ChainOptions) => {
      return run("chain", async (context) => (await import("./chain.ts")).chain(context, options));
    });
  program
    .command("export <path>")
    .description("the keys that may sign now, as another program reads them")
    .requiredOption("--for <program>", "gpgv, apt, opkg or pkg_install")
    .action((path: string, options: ExportOptions) => {
      return run("export", async (context) => (await import("./export.ts")).exportTo(context, path, options));
    });
  program
    .command("status")
    .description("age and expiry of feeds and keys, and what will break when; asks nobody")
    .action(() => run("status", async (context) => (await import("./status.ts")).status(context)));
  program
    .command("update [feed...]")
    .description("download and verify the indexes")
    .option("--allow-empty", "accept an index that became empty")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((feeds: string[], options: UpdateOptions) => {
      return run("update", async (context) => (await import("./update.ts")).update(context, feeds, options));
    });
  program
    .command("fetch [package...]")
    .description("download and verify packages (NAME or NAME=VERSION) of verified indexes")
    .option("-o, --output <dir>", "where to put them", ".")
    .option("--feed <name...>", "only from these feeds")
    .option("--all", "every package of the feeds")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((packages: string[], options: FetchOptions) => {
      return run("fetch", async (context) => (await import("./fetch.ts")).fetch(context, packages, options));
    });
  program
    .command("verify <index> [package-file...]")
    .description("verify a local index, and package files against it")
    .option("--signature <file>", "its signature (default: INDEX.sig, then INDEX.asc)")
    .option("--feed <name>", "which feed of the profile it is")
    .option("--packages <dir>", "check every package file below a folder")
    .option("--complete", "with --packages: refuse missing ones too")
    .option("--allow-empty", "accept an index that became empty")
    .option("--no-state", "an audit: compare with nothing and record nothing")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((index: string, files: string[], options: VerifyOptions) => {
      return run("verify", async (context) => (await import("./verify.ts")).verify(context, index, files, options));
    });
  program
    .command("verify-package <file...>")
    .description("verify signed pkgsrc packages")
    .option("-o, --output <file>", "write the package inside there once all of it is verified")
    .option("--feed <name>", "the feed that it is of: delegates sign for some feeds only")
    .option("--no-state", "an audit: record nothing")
    .option("--reset-state", "forget everything and start from the seeds")
    .action((files: string[], options: VerifyPackageOptions) => {
      return run("verify-package", async (context) => {
        return (await import("./verify-package.ts")).verifyPackage(context, files, options);
      });
    });
}

function addOtherCommands(program: Command, run: Runner, main: Main): void {
  program
    .command("serve <dir>")
    .description("serve an archive on loopback or a LAN")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port, 0 for any", "8080")
    .option("--keyserver [dir]", "a key server below /pks/, which keeps keys in DIR")
    .option("--tls-cert <file>", "PEM certificate chain")
    .option("--tls-key <file>", "its PEM key")
    .action((folder: string, options: ServeOptions) => {
      return run("serve", async (context) => (await import("./serve.ts")).serve(context, folder, options));
    });
  program
    .command("demo")
    .description("the whole story on a throw-away archive")
    .action(() => run("demo", async (context) => (await import("./demo.ts")).demo(context, main)));
}

/**
 * Adds all commands to the program.
 * @param main the program itself, for the demo to play with
 */
export function addCommands(program: Command, run: Runner, main: Main): void {
  addArchiveCommands(program, run);
  addKeyLifeCommands(program, run);
  addKeyCommands(program, run);
  addClientCommands(program, run);
  addOtherCommands(program, run, main);
}
