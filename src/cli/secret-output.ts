/** Checks that standard output is a suitable place for a secret key: a pipe or a private file, not a terminal. */
import { fstatSync } from "node:fs";
import { FeedkeyError } from "../error.ts";
import type { CliReporter } from "./reporter.ts";

/**
 * Checks standard output before feedkey prints a secret. Warns if standard output is a file that other users can read: the
 * shell may have created the file with a lax umask.
 * @throws FeedkeyError `usage` if standard output is a terminal, which may keep its output
 */
export function guardSecretOutput(
  reporter: Pick<CliReporter, "warn">,
  { isTTY, fd }: { readonly isTTY?: boolean; readonly fd?: number },
): void {
  if (isTTY === true) {
    throw new FeedkeyError("usage", "a secret key is not shown on a terminal", {
      hint: "use -o FILE, which makes a file that only you can read, or send the output through a pipe",
    });
  }
  const stat = fd === undefined ? undefined : fstatSync(fd);
  if (stat?.isFile() !== true || (stat.mode & 0o077) === 0) return;
  const mode = (stat.mode & 0o777).toString(8);
  reporter.warn(
    `other users can read the file into which the secret key is written (mode ${mode}): run chmod 600 on it, or use -o FILE`,
  );
}
