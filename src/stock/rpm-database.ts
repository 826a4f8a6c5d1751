/**
 * rpm's key database, which zypper uses. If the database has a key already, `rpm --import` of the extended key succeeds but changes nothing
 * (rpm 4.18, 4.20), so feedkey first removes the old key. zypper also has a cache of these keys, from which it would import a removed key
 * again, so feedkey cleans the cache too.
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { FeedkeyError, unlessRefused } from "../error.ts";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { runProgram } from "../files/programs.ts";
import { TargetRoot } from "../files/target-root.ts";
import { armorCertificates, type RawCertificate, writeCertificate } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { type KeyFile, namesIn, systemFile } from "./rpm-system.ts";

/**
 * The path of the folder with zypper's key file, below the root of a system. The file tells the next run which keys this run put into the
 * database.
 */
export const zypperKeyFolder = "etc/feedkey/keyrings";
export const zypperCache = "var/cache/zypp";

/** The paths of rpm's database: the first on SUSE and Fedora, the second on older systems. */
export const rpmDatabases = ["usr/lib/sysimage/rpm", "var/lib/rpm"];

/** A key in rpm's database. */
interface Held {
  /** The name of the key's entry: `gpg-pubkey-ID-DATE`. */
  readonly name: string;
  readonly certificate: RawCertificate;
}

/** The system whose rpm database feedkey changes. */
interface RpmSystem {
  readonly root: string;
  /** The home folder with rpm's settings; undefined for the present user's home. */
  readonly home?: string;
}

/**
 * Updates rpm's database and zypper's cache, so that they match an export.
 * @param barred the keys that the database must not have
 * @returns warnings for the user
 * @throws FeedkeyError `output` if rpm can't read or change the database
 */
export async function writeRpmDatabase(
  system: RpmSystem,
  certificates: readonly RawCertificate[],
  barred: ReadonlySet<Fingerprint>,
): Promise<readonly string[]> {
  const wanted = new Map(certificates.map((one) => [one.fingerprint, one]));
  const isStale = (one: RawCertificate) => {
    const now = wanted.get(one.fingerprint);
    return now === undefined ? barred.has(one.fingerprint) : !isSame(now, one);
  };
  // The cache is cleaned first, so that zypper does not import a removed key again.
  await forgetCached(system.root, isStale);
  // Even a query would make rpm create a database, so feedkey does not query a database that does not exist.
  if (certificates.length === 0 && !(await hasDatabase(system))) return [];
  const held = await keysIn(system);
  const stale = held.filter(({ certificate }) => isStale(certificate));
  const current = new Set(held.filter((one) => !stale.includes(one)).map(({ certificate }) => certificate.fingerprint));
  const absent = certificates.filter(({ fingerprint }) => !current.has(fingerprint));
  if (stale.length > 0) await rpm(system, ["-e", "--allmatches", ...stale.map(({ name }) => name)]);
  if (absent.length === 0) return [];
  return await importKeys(system, absent);
}

/**
 * Applies an export to zypper.
 * @returns warnings for the user
 * @throws FeedkeyError `output` if rpm's database can't be changed
 */
export async function followZypper({ path, certificates, barred }: KeyFile): Promise<readonly string[]> {
  const file = systemFile(path, zypperKeyFolder);
  if (file !== undefined) return await writeRpmDatabase(file, certificates, barred);
  return [`zypper will not notice changes: rpm's database is written only for a file in /${zypperKeyFolder}`];
}

async function hasDatabase({ root, home }: RpmSystem): Promise<boolean> {
  const target = await TargetRoot.open(root);
  // On Debian, rpm has its database below the user's home folder.
  const ran = await runProgram("rpm", ["--eval", "%{_dbpath}"], home === undefined ? {} : { home });
  const [own] = ran.status === 0 ? (/^\/(?!\/)\S*[^\s/]/.exec(ran.stdout.toString("utf8")) ?? []) : [];
  const places = [...rpmDatabases, ...(own === undefined ? [] : [own.slice(1)])];
  return (await Promise.all(places.map((name) => target.exists(name)))).includes(true);
}

function isSame(a: RawCertificate, b: RawCertificate): boolean {
  return Buffer.compare(writeCertificate(a), writeCertificate(b)) === 0;
}

async function importKeys(system: RpmSystem, certificates: readonly RawCertificate[]): Promise<string[]> {
  // rpm looks for the file below the root, so feedkey writes it there.
  const start = await (await TargetRoot.open(system.root)).hostPath("var/tmp/feedkey-");
  await ensureFolder(dirname(start), 0o1777);
  const folder = await fs.mkdtemp(start);
  try {
    for (const certificate of certificates) {
      const file = join(folder, "key.asc");
      await fs.writeFile(file, armorCertificates([certificate]));
      // rpm 4.18 can't import P-256 keys, but still exits with status 0. So feedkey reads the database afterwards.
      await rpm(system, ["--import", file], "import");
    }
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
  const now = new Set((await keysIn(system)).map(({ certificate }) => certificate.fingerprint));
  return certificates.flatMap(({ fingerprint }) => {
    return now.has(fingerprint)
      ? []
      : [`the rpm of this system can't store the key ${fingerprint}, so zypper will refuse what this key signs`];
  });
}

/** Reads the keys in the database. */
async function keysIn(system: RpmSystem): Promise<Held[]> {
  const query = ["-q", "gpg-pubkey", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}\\n%{DESCRIPTION}\\n"];
  return (await rpm(system, query, "query")).split(/^(?=gpg-pubkey-)/m).flatMap((text) => {
    const name = /^gpg-pubkey-[0-9a-f]+-[0-9a-f]+/.exec(text)?.[0];
    return name === undefined ? [] : certificatesOf(Buffer.from(text)).map((certificate) => ({ name, certificate }));
  });
}

function certificatesOf(bytes: Uint8Array): RawCertificate[] {
  return unlessRefused(() => [...readKeys(bytes).certificates]) ?? [];
}

async function forgetCached(root: string, isStale: (certificate: RawCertificate) => boolean): Promise<void> {
  const folder = dirname(await (await TargetRoot.open(root)).hostPath(`${zypperCache}/pubkeys/x`));
  for (const name of await namesIn(folder)) {
    const bytes = await fs.readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined && certificatesOf(bytes).some(isStale)) await fs.rm(join(folder, name), { force: true });
  }
}

/**
 * Runs rpm on a system.
 * @returns rpm's standard output
 * @throws FeedkeyError `output` if rpm fails
 */
async function rpm(
  { root, home }: RpmSystem,
  args: readonly string[],
  kind: "change" | "import" | "query" = "change",
): Promise<string> {
  const ran = await runProgram("rpm", ["--root", root, ...args], home === undefined ? {} : { home });
  // If the database has no key, a query ends with status 1 and writes no error (4.18). If the database is damaged, rpm writes an error.
  const isNone = ran.status === 1 && ran.stderr.trim() === "";
  const isGood = ran.status === 0 || (kind === "import" && ran.status !== undefined) || (kind === "query" && isNone);
  if (isGood) return ran.stdout.toString("utf8");
  throw new FeedkeyError(
    "output",
    `rpm could not ${kind === "query" ? "read" : "change"} its database of keys: ${escapeText(ran.stderr.trim()) || "it can't be run"}`,
    {
      cause: ran.cause,
      details: { root },
      hint: "check that rpm is installed, and run feedkey as root",
    },
  );
}
