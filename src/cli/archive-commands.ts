/** Defines the commands for publishing. */
import type { Command } from "commander";
import type { Runner } from "./run.ts";
import { withPassphrase, withWarnings } from "./shared-options.ts";

function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Adds the commands keygen, sign, publish and sign-package to the program. */
export function addArchiveCommands(program: Command, run: Runner): void {
  withPassphrase(program.command("keygen"))
    .description("make a key, its certificate and its revocation certificates")
    .requiredOption("--user-id <uid>", 'name and address of the key, as "Name <address>"')
    .option("--algorithm <name>", "algorithm of the key: ed25519, rsa3072, rsa4096, p256 or ed25519-v6", "ed25519")
    .option("--expires <length>", "when the key expires, counted from now, or never", "2y")
    .option(
      "--offline-primary <dir>",
      "write the whole key into another key store, DIR, and keep only a signing subkey in this key store",
    )
    .option("--certify-only", "make a master key: it delegates to other keys and never signs an index")
    .action(run("keygen", async () => (await import("./archive/keygen.ts")).keygen));
  withWarnings(withPassphrase(program.command("sign <index...>")))
    .description("sign indexes: write the signature files INDEX.asc and INDEX.sig")
    .option(
      "--config <file>",
      "archive.ini, which says which key signs (during a rotation: which two keys) and to which feed the index belongs",
    )
    .option("--key <fingerprint>", "the key that signs (default: the key in archive.ini)")
    .option(
      "--also-key <fingerprint>",
      "for apt and rpm-md: one more key that also signs; can be given several times",
      repeated,
    )
    .option(
      "--feed <name>",
      "the feed that the index is signed for (default: found in archive.ini by the index's path)",
    )
    .option("--notation-domain <domain>", "domain of the notation with the feed's name, if the user ID has no address")
    .option(
      "--add-checksums",
      "for a pkg_summary: before signing, add the size and SHA-256 of each package in its folder",
    )
    .option(
      "--clearsign",
      "for a checksum file: write INDEX.asc as a signed message that contains both the text and the signature",
    )
    .option(
      "--valid-for <length>",
      "how long the signature is valid, or never (default: the value in archive.ini, or 14d)",
    )
    .option(
      "--form <name>",
      "signature files: both (.asc and .sig), or asc alone (default: the value in archive.ini, or both)",
    )
    .option("--force", "sign the index even if clients can't read it, and replace signature files of other programs")
    .action(run("sign", async () => (await import("./archive/sign.ts")).sign));
  withWarnings(withPassphrase(program.command("publish [dir]")))
    .description("write and sign the indexes of a folder or an archive, with its key bundle")
    .option("--config <file>", "archive.ini, the configuration of the archive to publish")
    .option("--key <fingerprint>", "the key that signs")
    .option("--feed <name>", "name of the feed in DIR (default: the name of the folder)")
    .option("--format <name>", "format of the feed in DIR: opkg or pkgsrc (default: opkg)")
    .option("--notation-domain <domain>", "domain of the notation with the feed's name, if the user ID has no address")
    .option(
      "--compress <forms>",
      "for pkgsrc: compressed forms of pkg_summary to write in addition to .gz, separated by commas: xz, zst",
    )
    .option("--valid-for <length>", "how long the signatures are valid (default: the value in archive.ini, or 14d)")
    .option("--skip-bad", "publish without the damaged packages, and exit with status 1 if there are any")
    .option("--allow-empty", "publish a feed even if it has no package any more")
    .option("--form <name>", "signature files in DIR: both (.asc and .sig), or asc alone (default: both)")
    .option("--force", "replace signature files that another program, such as usign, wrote")
    .option("--page", "also write the trust page, keys/index.html (default: what archive.ini says)")
    .option("--dry-run", "print the plan and change nothing")
    .action(run("publish", async () => (await import("./archive/publish.ts")).publish));
  withPassphrase(program.command("sign-package <file...>"))
    .description("sign pkgsrc packages for pkg_add")
    .requiredOption("--key <fingerprint>", "the key that signs, which must be an RSA key")
    .option(
      "-o, --output <dir>",
      "folder for the signed packages (default: each signed package replaces the unsigned package)",
    )
    .action(run("sign-package", async () => (await import("./archive/sign-package.ts")).signPackage));
}
