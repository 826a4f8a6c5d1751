/** Options that several commands have. */
import type { Command } from "commander";

export function withPassphrase(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "read the passphrase from the first line of a file")
    .option("--passphrase-fd <n>", "read the passphrase from a file descriptor");
}

export function withServers(command: Command): Command {
  return command
    .option("--keyserver <url...>", "key servers, hkps://... (default: those of archive.ini or the profile)")
    .option("--keyserver-ca <file>", "PEM certificates of their authority");
}
