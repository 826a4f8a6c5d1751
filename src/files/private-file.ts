import { constants, type Stats } from "node:fs";
import { dirname } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { refuseWritableByOthers } from "./folder.ts";
import { keepsModes, probeOf } from "./modes.ts";
import { readChecked } from "./plain-file.ts";
import { causeInWords } from "./system-error.ts";

/**
 * Reads a file with a secret key. It must be a plain file, not a symbolic link, that belongs to this user or root and
 * that nobody else can read or write, in a folder that nobody else can write to. Undefined if there is none.
 * On a file system without modes others may be able to read it: see `warnOfModes`.
 * @throws FeedkeyError `bad_config`
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  await refuseWritableByOthers(dirname(path), (problem, hint) => refuse(path, problem, hint));
  const what = `the secret key "${path}"`;
  try {
    // O_NONBLOCK: opening a pipe that somebody put here must not hang.
    const bytes = await readChecked(path, constants.O_NOFOLLOW | constants.O_NONBLOCK, async (stat, handle) => {
      if (!stat.isFile()) throw refuse(path, `${what} is not a plain file`, "put the key file itself there");
      refuseForeign(stat, what, path);
      // If files have no modes, as on a stick with FAT, the owner can't change that: the keeper gets a warning instead.
      if (isOpenToOthers(stat) && (await keepsModes(probeOf(handle, path)))) throw openToOthers(stat, what, path);
    });
    return bytes.toString("utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === undefined) throw error;
    throw refuse(path, `cannot read ${what}: ${causeInWords(error)}`, "run as the user that owns it");
  }
}

/**
 * Reads a file with a passphrase, which needs the same care as the key: nobody else may read it. Links are followed and a pipe
 * is accepted, so that `--passphrase-file <(pass show archive)` works.
 * @throws FeedkeyError `bad_config`; the system's error if it can't be opened
 */
export async function readPassphraseFile(path: string): Promise<string> {
  const what = `the passphrase file "${path}"`;
  const bytes = await readChecked(path, 0, (stat) => {
    // A pipe belongs to the user of the shell, who need not be the one that signs.
    if (stat.isFile()) refuseForeign(stat, what, path);
    if ((stat.isFile() || stat.isFIFO()) && isOpenToOthers(stat)) throw openToOthers(stat, what, path);
  });
  return bytes.toString("utf8");
}

function refuseForeign({ uid }: Stats, what: string, path: string): void {
  if (uid === 0 || uid === process.geteuid?.()) return;
  throw refuse(path, `${what} belongs to another user`, "chown it to the user that signs");
}

function isOpenToOthers({ mode }: Stats): boolean {
  return (mode & 0o077) !== 0;
}

function openToOthers({ mode }: Stats, what: string, path: string): FeedkeyError {
  return refuse(
    path,
    `${what} is open to other users (mode ${(mode & 0o777).toString(8)})`,
    `chmod 600 '${path}', and consider whether somebody has read it`,
  );
}

function refuse(path: string, problem: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", problem, { details: { path }, hint });
}
