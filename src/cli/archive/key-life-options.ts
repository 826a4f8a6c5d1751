/** The options of `rotate`, `revoke` and `delegate`. `rehearse` accepts the same options. */
import type { Command } from "commander";
import { withPassphrase, withServers, withWarnings } from "../shared-options.ts";

/** Adds the options of `rotate`, except the archive's configuration. */
export function defineRotate(command: Command): Command {
  return withWarnings(withServers(withPassphrase(command)))
    .description("key transition: make and certify the successor, later let it sign")
    .option("--algorithm <name>", "of the new key (default: ed25519; RSA where pkg_add reads the present key)")
    .option("--expires <length>", "when the new key expires, counted from now, or never", "2y")
    .option("--overlap <length>", "how long both keys are in use", "30d")
    .option("--to <fingerprint>", "a key of the key store instead of a new one")
    .option("--backup <dir>", "copy the new key's revocation certificates there")
    .option("--finish", "second step: the successor signs from now on")
    .option("--at-once", "both steps")
    .option("--abandon", "withdraw a bad successor")
    .option("--status", "show the state of the rotation")
    .option("--svg", "with --status: a picture of the keys and their overlaps over time")
    .option("--retire", "with --finish: revoke the old key as superseded")
    .option("--force", "go on without a backup, before the overlap ends, or even if clients lose their chain")
    .option("--dry-run", "print the plan and change nothing");
}

/** Adds the options of `revoke`, except the archive's configuration. */
export function defineRevoke(command: Command): Command {
  return withServers(withPassphrase(command))
    .description("revoke a key, after showing which clients lose their chain")
    .requiredOption("--reason <word>", "compromised, superseded, retired or unspecified")
    .option("--force", "revoke even if clients lose their chain")
    .option("--dry-run", "show which clients lose their chain and change nothing");
}

/** Adds the options of `delegate`, except the archive's configuration. */
export function defineDelegate(command: Command): Command {
  return withServers(withPassphrase(command))
    .description("let another key sign some feeds for a limited time; asks no server")
    .option("--key <fingerprint>", "the key that delegates")
    .option("--feeds <globs>", "which feeds, comma-separated", "*")
    .option("--depth <n>", "how many further delegations may follow", "0")
    .option("--expires <length>", "how long it is valid")
    .option(
      "--notation-domain <domain>",
      "domain of the notation delegate@DOMAIN, if the user ID of the delegating key has no address",
    )
    .option("--withdraw", "withdraw the delegation, for good")
    .option("--status", "list what has been delegated, by whom, until when; changes nothing")
    .option("-o, --output <file>", "write the certified certificate there, with those of the keys above it")
    .option("--dry-run", "show what would change and change nothing");
}
