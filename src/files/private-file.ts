import { constants, type Stats } from "node:fs";
import { dirname } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { refuseWritableByOthers } from "./folder.ts";
import { keepsModes, probeOf } from "./modes.ts";
import { readChecked } from "./plain-file.ts";
import { causeInWords } from "./system-error.ts";

/**
 * Reads a file with a secret key; undefined if the file is missing. The file must be a regular file that belongs to this user
 * or root. No other user may be able to read or write the file, or to write to its folder. On a file system without modes,
 * other users may still be able to read the file: see `warnOfModes`.
 * @throws FeedkeyError `bad_config` if feedkey refuses the file or its folder
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  await refuseWritableByOthers(dirname(path), (problem, hint) => refuse(path, problem, hint));
  const what = `the secret key "${path}"`;
  try {
    // With O_NONBLOCK, opening a pipe that somebody put at this path does not wait.
    const bytes = await readChecked(path, constants.O_NOFOLLOW | constants.O_NONBLOCK, async (stat, handle) => {
      if (!stat.isFile()) throw refuse(path, `${what} is not a plain file`, "put the key file itself at that path");
      refuseForeign(stat, what, path);
      // If the file system has no modes, such as FAT on a USB stick, the owner can't change the mode, so feedkey accepts the
      // file; `warnOfModes` warns the keeper instead.
      if (isOpenToOthers(stat) && (await keepsModes(probeOf(handle, path)))) throw openToOthers(stat, what, path);
    });
    return bytes.toString("utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === undefined) throw error;
    throw refuse(path, `cannot read ${what}: ${causeInWords(error)}`, "run feedkey as the user that owns the file");
  }
}

/**
 * Reads a file with a passphrase. As for a key, no other user may be able to read the file. Follows symbolic links and accepts
 * a pipe, so that `--passphrase-file <(pass show archive)` works.
 * @throws FeedkeyError `bad_config` if other users can read the file; the system's error if feedkey can't open the file
 */
export async function readPassphraseFile(path: string): Promise<string> {
  const what = `the passphrase file "${path}"`;
  const bytes = await readChecked(path, 0, (stat) => {
    // The owner of a pipe is not checked: a pipe belongs to the user of the shell, who need not be the user that signs.
    if (stat.isFile()) refuseForeign(stat, what, path);
    if ((stat.isFile() || stat.isFIFO()) && isOpenToOthers(stat)) throw openToOthers(stat, what, path);
  });
  return bytes.toString("utf8");
}

function refuseForeign({ uid }: Stats, what: string, path: string): void {
  if (uid === 0 || uid === process.geteuid?.()) return;
  throw refuse(
    path,
    `${what} belongs to another user`,
    "run feedkey as the owner of the file, or chown the file to the user that signs",
  );
}

function isOpenToOthers({ mode }: Stats): boolean {
  return (mode & 0o077) !== 0;
}

function openToOthers({ mode }: Stats, what: string, path: string): FeedkeyError {
  return refuse(
    path,
    `${what} is open to other users (mode ${(mode & 0o777).toString(8)})`,
    `run chmod 600 '${path}'; if somebody may have read the file, replace the secret in it`,
  );
}

function refuse(path: string, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", problem, { details: { path }, hint });
}
