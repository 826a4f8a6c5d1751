/** Options that several commands have. */
import type { Command } from "commander";

/** Where the passphrase comes from, if the key has one. */
export function withPassphrase(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "read the passphrase from the first line of a file")
    .option("--passphrase-fd <n>", "read the passphrase from a file descriptor");
}

/** How long before an expiry the warnings begin. */
export function withWarnings(command: Command): Command {
  return command.option(
    "--warn-within <length>",
    "warn of keys, subkeys and delegations that end, and of rotations to finish, within this time (default: 60d; 0: never)",
  );
}

/** Which key servers are used. */
export function withServers(command: Command): Command {
  return command
    .option("--keyserver <url...>", "key servers, hkps://... (default: those of archive.ini or the profile)")
    .option("--keyserver-ca <file>", "PEM certificates of their authority");
}
