/**
 * rpm's key database, which zypper uses. `rpm --import` of an existing key succeeds but does nothing (rpm 4.18, 4.20), so feedkey
 * first removes a key that was extended. zypper has a cache of these keys, from which zypper would import a removed key again.
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { runProgram } from "../files/programs.ts";
import { TargetRoot } from "../files/target-root.ts";
import { armorCertificates, type RawCertificate, writeCertificate } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { type KeyFile, namesIn, systemFile } from "./rpm-system.ts";

/**
 * The folder of zypper's key file, below the root of a system. The file tells the next run which keys this run put into the
 * database.
 */
export const zypperKeyFolder = "etc/feedkey/keyrings";
export const zypperCache = "var/cache/zypp";

/** The folders of rpm's database: on SUSE and Fedora, and on older systems. */
export const rpmDatabases = ["usr/lib/sysimage/rpm", "var/lib/rpm"];

/** A key in the database. */
interface Held {
  /** `gpg-pubkey-ID-DATE`. */
  readonly name: string;
  readonly certificate: RawCertificate;
}

/** The system whose database feedkey changes. */
interface RpmSystem {
  readonly root: string;
  /** The home folder with rpm's settings. By default the present user's. */
  readonly home?: string;
}

/**
 * Updates the database and zypper's cache to match an export.
 * @param barred keys that the database must not have
 * @returns warnings for the user
 * @throws FeedkeyError `output`
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
  // This comes first: zypper must not import a removed key again from its cache.
  await forgetCached(system.root, isStale);
  // rpm would create a database only to query it.
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
 * @throws FeedkeyError `output`
 */
export async function followZypper({ path, certificates, barred }: KeyFile): Promise<readonly string[]> {
  const file = systemFile(path, zypperKeyFolder);
  if (file !== undefined) return await writeRpmDatabase(file, certificates, barred);
  return [`zypper will not notice changes: rpm's database is written only for a file in /${zypperKeyFolder}`];
}

async function hasDatabase({ root, home }: RpmSystem): Promise<boolean> {
  const target = await TargetRoot.open(root);
  // Debian's rpm has its database below the user's home folder.
  const ran = await runProgram("rpm", ["--eval", "%{_dbpath}"], home === undefined ? {} : { home });
  const [own] = ran.status === 0 ? (/^\/(?!\/)\S*[^\s/]/.exec(ran.stdout.toString("utf8")) ?? []) : [];
  const places = [...rpmDatabases, ...(own === undefined ? [] : [own.slice(1)])];
  return (await Promise.all(places.map((name) => target.exists(name)))).includes(true);
}

function isSame(a: RawCertificate, b: RawCertificate): boolean {
  return Buffer.compare(writeCertificate(a), writeCertificate(b)) === 0;
}

async function importKeys(system: RpmSystem, certificates: readonly RawCertificate[]): Promise<string[]> {
  // rpm reads the file below the root, so the file must be in the system.
  const start = await (await TargetRoot.open(system.root)).hostPath("var/tmp/feedkey-");
  await ensureFolder(dirname(start), 0o1777);
  const folder = await fs.mkdtemp(start);
  try {
    for (const certificate of certificates) {
      const file = join(folder, "key.asc");
      await fs.writeFile(file, armorCertificates([certificate]));
      // The caller reads the database to see which keys rpm imported, because rpm 4.18 fails for P-256 with status 0.
      await rpm(system, ["--import", file], "import");
    }
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
  const now = new Set((await keysIn(system)).map(({ certificate }) => certificate.fingerprint));
  return certificates.flatMap(({ fingerprint }) => {
    return now.has(fingerprint)
      ? []
      : [`the rpm of this system can't store ${fingerprint}, so zypper will refuse what it signs`];
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
  try {
    return [...readKeys(bytes).certificates];
  } catch (error) {
    if (error instanceof FeedkeyError) return [];
    throw error;
  }
}

async function forgetCached(root: string, isStale: (certificate: RawCertificate) => boolean): Promise<void> {
  const folder = dirname(await (await TargetRoot.open(root)).hostPath(`${zypperCache}/pubkeys/x`));
  for (const name of await namesIn(folder)) {
    const bytes = await fs.readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined && certificatesOf(bytes).some(isStale)) await fs.rm(join(folder, name), { force: true });
  }
}

/** Runs rpm. @returns rpm's standard output @throws FeedkeyError `output` */
async function rpm(
  { root, home }: RpmSystem,
  args: readonly string[],
  kind: "change" | "import" | "query" = "change",
): Promise<string> {
  const ran = await runProgram("rpm", ["--root", root, ...args], home === undefined ? {} : { home });
  // Without any key, a query ends with status 1 and writes no error (4.18). With a damaged database, rpm writes an error.
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
