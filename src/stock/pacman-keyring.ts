/**
 * pacman's keys. `pacman-key --populate NAME` reads three files into pacman's own keyring. A key that is later removed from these files
 * stays trusted in pacman's keyring, and a key that was once in `NAME-revoked` is never enabled again. So feedkey removes keys from
 * pacman's keyring directly, and lists only revoked keys in `NAME-revoked`.
 */
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FeedkeyError, unlessMissing } from "../error.ts";
import { escapeText } from "../escape.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { findProgram, type Ran, runProgram } from "../files/programs.ts";
import { type RawCertificate, writeCertificates } from "../openpgp/certificate/certificate.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** The keys of an export, and the keys that pacman must not have. */
interface PacmanKeys {
  /** The path of the keyring file, `NAME.gpg`. */
  readonly path: string;
  readonly certificates: readonly RawCertificate[];
  readonly keys: readonly Fingerprint[];
  readonly barred: ReadonlySet<Fingerprint>;
  /** The revoked keys, which must never be used again. */
  readonly revoked: ReadonlySet<Fingerprint>;
}

/**
 * Returns the paths of two files beside a keyring file: the list of keys that pacman-key certifies, and the list of keys that it disables.
 */
function besideKeyring(path: string): { readonly trusted: string; readonly revoked: string } {
  const stem = path.replace(/\.gpg$/, "");
  return { trusted: `${stem}-trusted`, revoked: `${stem}-revoked` };
}

/**
 * Returns the folder in which pacman-key looks for keyring files. Distributions use different folders, so feedkey reads the path from the
 * text of the pacman-key script.
 */
export function keyringFolder(pacmanKey: string | undefined): string | undefined {
  return /KEYRING_IMPORT_DIR='([^'$]+)'/.exec(pacmanKey ?? "")?.[1];
}

/**
 * Writes the files of an export, and makes pacman use the keys.
 * @returns warnings for the user
 * @throws FeedkeyError `usage` if the file is not called NAME.gpg; `output` if gpg or pacman-key fails
 */
export async function followPacman({ path, certificates, keys, barred, revoked }: PacmanKeys): Promise<string[]> {
  if (!/^[^.].*\.gpg$/.test(basename(path))) {
    throw new FeedkeyError("usage", `a keyring of pacman must be called NAME.gpg, not ${escapeText(basename(path))}`);
  }
  const beside = besideKeyring(path);
  const before = (await textOf(beside.revoked)).split("\n").filter((line) => line !== "");
  const disabled = [...new Set([...before, ...revoked])].filter((key) => !keys.includes(key)).sort();
  await write(beside.revoked, disabled.map((key) => `${key}\n`).join(""));
  await write(path, writeCertificates(certificates));
  // Distributions write the ownertrust "marginal" (4) here too. It does not matter, because pacman trusts the keys that its own key
  // certified.
  await write(beside.trusted, keys.map((key) => `${key}:4:\n`).join(""));
  if (!(await isReadByPacman(path))) {
    return [`pacman does not use these keys yet: run pacman-key --populate ${basename(path, ".gpg")} in that system`];
  }
  // Barred keys are removed first, so that a later failure does not leave a barred key trusted.
  await forget([...barred].filter((key) => !revoked.has(key)));
  await populate(basename(path, ".gpg"));
  // feedkey leaves out --batch: with it, gpg would postpone the check, and still treat an extended key as expired.
  accept(
    await runProgram("gpg", [...(await ring()), "--check-trustdb"]),
    "gpg could not check pacman's trust database",
  );
  return [];
}

/**
 * Removes an export's keys from pacman, and the two lists beside the export's file; but not this file itself.
 * @throws FeedkeyError `output` if gpg or pacman-key fails
 */
export async function clearPacman(path: string, keys: readonly Fingerprint[]): Promise<void> {
  if (await isReadByPacman(path)) await forget(keys);
  for (const file of Object.values(besideKeyring(path))) await fs.rm(file, { force: true });
}

async function textOf(path: string): Promise<string> {
  return (await unlessMissing(fs.readFile(path, "utf8"))) ?? "";
}

async function write(path: string, data: string | Uint8Array): Promise<void> {
  const there = await fs.readFile(path).catch(() => undefined);
  if (there?.equals(Buffer.from(data)) === true) return;
  await ensureFolder(dirname(path), 0o755);
  await writeFileAtomic(path, data, { mode: 0o644 });
}

/** Whether the running system's pacman reads the keyring file at this path. It does not if the file is in a system under installation. */
async function isReadByPacman(path: string): Promise<boolean> {
  const program = findProgram("pacman-key");
  const folder = program === undefined ? undefined : keyringFolder(await textOf(program));
  const real = (name: string) => fs.realpath(name).catch(() => undefined);
  return folder !== undefined && (await real(folder)) === (await real(dirname(path)));
}

async function populate(name: string): Promise<void> {
  const take = async () => await runProgram("pacman-key", ["--populate", name]);
  const ran = await take();
  if (ran.status === 0) return;
  // If pacman's keyring was never initialised, it has no key of its own that could certify the new keys.
  accept(await runProgram("pacman-key", ["--init"]), "pacman-key could not make pacman's keyring");
  accept(await take(), "pacman-key could not add the keys");
}

/** Removes keys from pacman's keyring, if the keyring has them. */
async function forget(keys: readonly Fingerprint[]): Promise<void> {
  const options = await ring();
  // gpg fails if pacman's keyring does not exist yet.
  if (keys.length === 0 || !(await fs.stat(options[1] ?? "").catch(() => undefined))?.isDirectory()) return;
  const listed = await runProgram("gpg", [...options, "--batch", "--with-colons", "--list-keys"]);
  accept(listed, "gpg could not list pacman's keys");
  const held = new Set(
    listed.stdout
      .toString("utf8")
      .match(/^fpr:.*$/gm)
      ?.map((line) => line.split(":")[9]),
  );
  const here = keys.filter((key) => held.has(key));
  if (here.length > 0)
    accept(await runProgram("pacman-key", ["--delete", ...here]), "pacman-key could not remove keys");
}

/** Returns the options with which gpg uses pacman's keyring. */
async function ring(): Promise<string[]> {
  const { stdout } = await runProgram("pacman-conf", ["GPGDir"]);
  return ["--homedir", stdout.toString("utf8").trim() || join("/", "etc/pacman.d/gnupg"), "--no-permission-warning"];
}

function accept({ status, stderr, cause }: Ran, problem: string): void {
  if (status === 0) return;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new FeedkeyError("output", `${problem}: ${escapeText(said || "it can't be run")}`, {
    cause,
    hint: "install pacman-key and gpg, and run feedkey as root",
  });
}
