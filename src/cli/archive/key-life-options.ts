/** Defines the options of `rotate`, `revoke` and `delegate`, because `rehearse` accepts the same options. */
import type { Command } from "commander";
import { withPassphrase, withServers, withWarnings } from "../shared-options.ts";

/** Adds the options of `rotate` to a command, except `--config`. */
export function defineRotate(command: Command): Command {
  return withWarnings(withServers(withPassphrase(command)))
    .description("replace the archive's key: first make and certify a successor, and later let the successor sign")
    .option(
      "--algorithm <name>",
      "algorithm of the new key (default: ed25519, or RSA if pkg_add reads the present key)",
    )
    .option("--expires <length>", "when the new key expires, counted from now, or never", "2y")
    .option("--overlap <length>", "how long both keys are in use", "30d")
    .option("--to <fingerprint>", "use this key in the key store as the successor, instead of making a new key")
    .option("--backup <dir>", "copy the new key's revocation certificates into this folder")
    .option("--finish", "take the second step: from now on, only the successor signs")
    .option("--at-once", "take both steps at once, without an overlap")
    .option("--abandon", "withdraw the successor's certification, and revoke the successor")
    .option("--status", "show the state of the rotation")
    .option("--svg", "with --status: write an SVG picture of the keys and their overlaps over time")
    .option("--retire", "with --finish: revoke the old key as superseded")
    .option(
      "--force",
      "continue without a backup, before the overlap ends, or even if some clients lose their trust chain",
    )
    .option("--dry-run", "print the plan and change nothing");
}

/** Adds the options of `revoke` to a command, except `--config`. */
export function defineRevoke(command: Command): Command {
  return withServers(withPassphrase(command))
    .description("revoke a key, and show which clients lose their trust chain")
    .requiredOption("--reason <word>", "reason of the revocation: compromised, superseded, retired or unspecified")
    .option("--force", "revoke even if some clients lose their trust chain")
    .option("--dry-run", "show which clients would lose their trust chain, and change nothing");
}

/** Adds the options of `delegate` to a command, except `--config`. */
export function defineDelegate(command: Command): Command {
  return withServers(withPassphrase(command))
    .description("let another key sign some feeds for a limited time; asks no server")
    .option("--key <fingerprint>", "the key that delegates")
    .option("--feeds <globs>", "feeds that the delegate may sign: names or patterns, separated by commas", "*")
    .option("--depth <n>", "how many levels of delegates may follow below this delegate", "0")
    .option("--expires <length>", "how long the delegation is valid")
    .option(
      "--notation-domain <domain>",
      "domain of the notation delegate@DOMAIN, if the user ID of the delegating key has no address",
    )
    .option("--withdraw", "withdraw the delegation, for good")
    .option("--status", "list the delegations, with who made each delegation and when it ends; changes nothing")
    .option(
      "-o, --output <file>",
      "write the delegate's certificate to a file, with the certificates of the keys that lead to it",
    )
    .option("--dry-run", "show what would change and change nothing");
}
