/** Commands for publishing. */
import type { Command } from "commander";
import type { Runner } from "./run.ts";
import { withPassphrase, withWarnings } from "./shared-options.ts";

function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Adds keygen, sign, publish and sign-package. */
export function addArchiveCommands(program: Command, run: Runner): void {
  withPassphrase(program.command("keygen"))
    .description("make a key, its certificate and its revocation certificates")
    .requiredOption("--user-id <uid>", '"Name <address>"')
    .option("--algorithm <name>", "ed25519, rsa3072, rsa4096, p256 or ed25519-v6", "ed25519")
    .option("--expires <length>", "when the key expires, counted from now, or never", "2y")
    .option("--offline-primary <dir>", "put the whole key into that key store, keep only a signing subkey here")
    .option("--certify-only", "make a master key: it delegates to other keys and never signs an index")
    .action(run("keygen", async () => (await import("./archive/keygen.ts")).keygen));
  withWarnings(withPassphrase(program.command("sign <index...>")))
    .description("sign indexes: writes INDEX.asc and INDEX.sig")
    .option("--config <file>", "archive.ini that says which key signs (both during a rotation) and which feed this is")
    .option("--key <fingerprint>", "the key that signs (default: archive.ini's)")
    .option("--also-key <fingerprint>", "for apt and rpm-md: another key that signs too; may be repeated", repeated)
    .option(
      "--feed <name>",
      "the feed that the index is signed for (default: found in archive.ini by the index's path)",
    )
    .option("--notation-domain <domain>", "domain of the notation with the feed's name, if the user ID has no address")
    .option("--add-checksums", "first add to a pkg_summary the size and SHA-256 of the packages beside it")
    .option("--clearsign", "for a checksum file: INDEX.asc contains the text and its signature")
    .option("--valid-for <length>", "how long the signature is valid, or never (default: archive.ini's, or 14d)")
    .option("--form <name>", "signature files: both, or asc alone (default: archive.ini's, or both)")
    .option("--force", "sign what clients can't read, and replace other programs' signature files")
    .action(run("sign", async () => (await import("./archive/sign.ts")).sign));
  withWarnings(withPassphrase(program.command("publish [dir]")))
    .description("write and sign the indexes of a folder or an archive, with its key bundle")
    .option("--config <file>", "archive.ini")
    .option("--key <fingerprint>", "the key that signs")
    .option("--feed <name>", "name of the feed in DIR (default: the folder's)")
    .option("--format <name>", "format of the feed in DIR: opkg or pkgsrc (default: opkg)")
    .option("--notation-domain <domain>", "domain of the notation with the feed's name, if the user ID has no address")
    .option("--compress <forms>", "forms of pkg_summary in DIR in addition to .gz, comma-separated: xz, zst")
    .option("--valid-for <length>", "how long the signatures are valid (default: archive.ini's, or 14d)")
    .option("--skip-bad", "leave damaged packages out; exits 1 if there were any")
    .option("--allow-empty", "publish an index that became empty")
    .option("--form <name>", "signature files in DIR: both, or asc alone (default: both)")
    .option("--force", "replace signature files that another program, such as usign, wrote")
    .option("--page", "write the trust page, keys/index.html, too (default: as archive.ini says)")
    .option("--dry-run", "print the plan and change nothing")
    .action(run("publish", async () => (await import("./archive/publish.ts")).publish));
  withPassphrase(program.command("sign-package <file...>"))
    .description("sign pkgsrc packages for pkg_add")
    .requiredOption("--key <fingerprint>", "the key that signs; it must be RSA")
    .option("-o, --output <dir>", "folder for the signed packages (default: they replace the unsigned ones)")
    .action(run("sign-package", async () => (await import("./archive/sign-package.ts")).signPackage));
}
