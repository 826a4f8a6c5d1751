/** Defines the options that several commands have. */
import type { Command } from "commander";

/** Adds the options that say where the passphrase comes from, if the key has a passphrase. */
export function withPassphrase(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "read the passphrase from the first line of a file")
    .option("--passphrase-fd <n>", "read the passphrase from a file descriptor");
}

/** Adds the option that says how long before an expiry the warnings begin. */
export function withWarnings(command: Command): Command {
  return command.option(
    "--warn-within <length>",
    "warn of keys, subkeys and delegations that end within this time, and of rotations to finish (default: 60d; 0: no warnings)",
  );
}

/** Adds the options that say which key servers feedkey uses. */
export function withServers(command: Command): Command {
  return command
    .option(
      "--keyserver <url...>",
      "key servers, as hkps://HOST (default: the key servers in archive.ini or the profile)",
    )
    .option(
      "--keyserver-ca <file>",
      "PEM file with CA certificates for the key servers, in addition to the system's CAs",
    );
}
