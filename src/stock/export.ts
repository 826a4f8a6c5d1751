/** Use case: the keys that may sign now, in the shape that another program reads. Removal from it is that program's revocation. */
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate/certificate.ts";
import { minimal } from "../openpgp/certificate/minimal.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { armor } from "../openpgp/packet/armor.ts";
import type { Feed, FeedFormat, Profile } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { refresh } from "../refresh/refresh.ts";
import type { Session } from "../refresh/session.ts";
import { allows } from "../trust/delegation.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { isFallen, type Rejected, type Trusted } from "../trust/judge.ts";
import { followDnf } from "./dnf-rings.ts";
import { claimHome, homeRecord, presentHome, writeHome } from "./gnupg-home.ts";
import { clearPacman, followPacman } from "./pacman-keyring.ts";
import { followZypper } from "./rpm-database.ts";

export const exportFormats = ["gpgv", "apt", "dnf", "zypper", "pacman", "opkg", "pkg_install"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface Exported {
  readonly path: string;
  readonly added: readonly Fingerprint[];
  readonly removed: readonly Fingerprint[];
  readonly keys: readonly Fingerprint[];
  /** Keys that may sign but that the program can't read or restrict, with the reason. */
  readonly left: readonly { readonly fingerprint: Fingerprint; readonly reason: string }[];
}

/** What a program needs of an export, if not a binary file alone. */
interface Shape {
  /** Whether a file of this name is armored. */
  armors?(path: string): boolean;
  /** Has the program take over the keys, where it would not notice the file. @returns warnings @throws FeedkeyError `output` */
  follow?(plan: Pick<ExportPlan, "path" | "certificates" | "keys" | "barred" | "revoked">): Promise<readonly string[]>;
  /** Has the program forget the keys of an export that is about to be removed, if following an empty one is not enough. */
  clear?(path: string, keys: readonly Fingerprint[]): Promise<void>;
}

const shapes: Readonly<Partial<Record<ExportFormat, Shape>>> = {
  apt: { armors: (path) => path.endsWith(".asc") },
  dnf: {
    armors: () => true,
    follow: ({ path, certificates, barred }) => followDnf(path, certificates, barred),
  },
  zypper: {
    armors: () => true,
    follow: ({ path, certificates, barred }) => followZypper(path, certificates, barred),
  },
  pacman: { follow: followPacman, clear: clearPacman },
};

function keyringOf(certificates: readonly RawCertificate[]): Uint8Array {
  return new Uint8Array(Buffer.concat(certificates.map(writeCertificate)));
}

/** Public-key algorithms of RFC 9580, from X25519 on, that neither GnuPG 2.2 nor the rpm of its time knows. */
const firstNewAlgorithm = 25;

/**
 * What a program can't read: GnuPG 2.2 knows no v6; one key that is not RSA spoils pkg_install's whole keyring.
 * @param raw as it would be exported
 * @param able the component keys that would be exported with the primary
 */
function unreadable(
  { primary, subkeys }: CertificateFacts,
  raw: RawCertificate,
  able: ReadonlySet<Fingerprint>,
  format: ExportFormat,
): string | undefined {
  if (primary.version !== 4) return `it is of version ${primary.version}`;
  const octets = [raw.primary, ...raw.subkeys.map(({ packet }) => packet)].map(({ body }) => body[5] ?? 0);
  if (["dnf", "zypper", "pacman"].includes(format) && octets.some((octet) => octet >= firstNewAlgorithm)) {
    return "its algorithm is newer than GnuPG 2.2";
  }
  if (format !== "pkg_install") return undefined;
  const exported = [primary, ...subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
  if (exported.some(({ algorithm }) => algorithm !== "rsa")) return "it is not RSA";
  return primary.keyId.startsWith("00") ? "its key ID begins with 00, which netpgpverify can't look up" : undefined;
}

function maySign({ role, grants }: Trusted, feed: string): boolean {
  return role !== "delegate" || grants.some((grant) => allows(grant, feed));
}

/** The programs with one keyring for all that they read, and the only format of feeds that they read. */
const hasOneKeyring: Readonly<Partial<Record<ExportFormat, FeedFormat>>> = {
  opkg: "opkg",
  pkg_install: "pkgsrc",
  dnf: "rpm-md",
  zypper: "rpm-md",
  pacman: "pacman",
};

/**
 * The feeds that a program's keyring is for where nothing is said: those that it reads. A feed of another format needs no
 * signer in it.
 */
export function feedsFor(format: ExportFormat, feeds: readonly Feed[]): string[] {
  const read = feeds.filter((feed) => feed.format === (hasOneKeyring[format] ?? feed.format));
  return (read.length > 0 ? read : feeds).map(({ name }) => name);
}

/**
 * A keyring has no restriction to feeds: a delegate in it could sign all of them.
 * @param feeds that the keyring is for
 */
function confined(trusted: Trusted, feeds: readonly string[], format: ExportFormat): string | undefined {
  if (trusted.role !== "delegate") return undefined;
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  const barred = feeds.filter((feed) => !maySign(trusted, feed));
  if (feeds.length > 0 && barred.length === 0) return undefined;
  const reason = `it is a delegate that may not sign ${quoted(barred) || "everything"}, which a keyring can't express`;
  const own = feeds.filter((feed) => maySign(trusted, feed));
  if (own.length === 0) return reason;
  return hasOneKeyring[format] === undefined
    ? `${reason}; export a keyring only for ${quoted(own)} with --feed`
    : `${reason}; ${format} has one keyring for all feeds, and will refuse what this key signs of ${quoted(own)}, ` +
        `unless it is set up only for ${quoted(own)} with --feed`;
}

/** The certificates that may sign now, each cut down to what is needed. */
async function choose(session: Session, judged: Judged, format: ExportFormat, only: readonly string[]) {
  const { trust } = judged;
  const all = session.profile.feeds.map(({ name }) => name);
  const feeds = only.length > 0 ? only : feedsFor(format, session.profile.feeds);
  const held = await session.knowledge.worthKeeping(trust, session.accepted);
  const chosen: RawCertificate[] = [];
  const left: { fingerprint: Fingerprint; reason: string }[] = [];
  for (const [fingerprint, trusted] of trust.trusted) {
    const able = signingKeys(trusted.facts, trust.at);
    const certificate = held.get(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    // Machines for other feeds do not matter here.
    const signs = (feed: string) => maySign(trusted, feed);
    if (!feeds.some(signs) && (only.length > 0 || all.some(signs))) continue;
    const exported = minimal(certificate, able);
    const reason = confined(trusted, feeds, format) ?? unreadable(trusted.facts, exported, able, format);
    if (reason !== undefined) left.push({ fingerprint, reason });
    else chosen.push(exported);
  }
  return { chosen, left, held };
}

async function certificatesIn(path: string): Promise<RawCertificate[]> {
  try {
    return [...readKeys(await fs.readFile(path)).certificates];
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Keys that could sign now if only somebody could say that they are not revoked. */
function waitingFor({ trust }: Judged): Map<Fingerprint, Rejected> {
  const unchecked = [...trust.rejected].filter(([, { code }]) => code === "unchecked_revocation");
  return new Map(unchecked.filter(([, { facts }]) => signingKeys(facts, trust.at).size > 0));
}

/** What an export would do, worked out without touching a file. */
export interface ExportPlan extends Exported {
  readonly format: ExportFormat;
  readonly certificates: readonly RawCertificate[];
  /** Keys of the archive that the program must not have: also those that an earlier run failed to take from it. */
  readonly barred: ReadonlySet<Fingerprint>;
  /** Those of them that are revoked. */
  readonly revoked: ReadonlySet<Fingerprint>;
  /** Why the export must be refused, after what is known to be bad has been taken out of it. */
  readonly refusal: FeedkeyError | undefined;
}

function outage(waiting: ReadonlyMap<Fingerprint, Rejected>, removed: readonly Fingerprint[]): FeedkeyError {
  const [fingerprint, rejected] = [...waiting][0] ?? ["", undefined];
  const rest = removed.length === 0 ? "" : ` except for ${removed.join(", ")}, which may no longer sign`;
  const message = `the keyring is unchanged${rest}: ${fingerprint}: ${rejected?.reason ?? ""}`;
  return new FeedkeyError("unchecked_revocation", message, {
    details: { fingerprint, unchecked: [...waiting.keys()], removed },
    hint: "make sure that a key server of the profile can be reached, then try again",
  });
}

/** Path of the keyring from which the present export was made. */
async function recordOf(path: string, format: ExportFormat): Promise<string> {
  return format === "opkg" ? join(await presentHome(path), homeRecord) : path;
}

/**
 * Plans an export. An outage of the key servers does not empty a keyring: it stays, except for keys that are known to be
 * revoked, expired or no longer in the chain.
 * @param path a file; for opkg a GnuPG home
 * @param only names of the feeds that the keyring is for; if there are none, all that the program reads
 * @throws FeedkeyError `output`: somebody's own home is there
 */
export async function planExport(
  session: Session,
  judged: Judged,
  format: ExportFormat,
  path: string,
  only: readonly string[] = [],
): Promise<ExportPlan> {
  const target = resolve(path);
  const before = await certificatesIn(await recordOf(target, format));
  const { chosen, left, held } = await choose(session, judged, format, only);
  const waiting = waitingFor(judged);
  const may = new Set(chosen.map(({ fingerprint }) => fingerprint));
  const stuck = before.some(({ fingerprint }) => waiting.has(fingerprint)) || (may.size === 0 && waiting.size > 0);
  const certificates = stuck
    ? before.filter(({ fingerprint }) => may.has(fingerprint) || waiting.has(fingerprint))
    : chosen;
  const keys = certificates.map(({ fingerprint }) => fingerprint);
  const known = new Set(before.map(({ fingerprint }) => fingerprint));
  const removed = [...known].filter((key) => !keys.includes(key));
  const { trusted, rejected } = judged.trust;
  const { identity } = session.profile.archive;
  const fallen = [...rejected].filter(([key, one]) => isFallen(one, held.has(key), identity)).map(([key]) => key);
  return {
    path: target,
    format,
    certificates,
    barred: new Set([...removed, ...fallen, ...trusted.keys()].filter((key) => !keys.includes(key) && !may.has(key))),
    revoked: new Set(fallen.filter((key) => rejected.get(key)?.code === "revoked" && !keys.includes(key))),
    keys,
    added: keys.filter((key) => !known.has(key)),
    removed,
    left,
    refusal: stuck ? outage(waiting, removed) : undefined,
  };
}

/**
 * Does what was planned, or leaves the export alone if nothing changed. The file comes last: by it the next run knows what this one did.
 * @returns warnings
 * @throws FeedkeyError `unchecked_revocation`, `output`
 */
export async function applyExport(plan: ExportPlan): Promise<readonly string[]> {
  const { format, path, certificates, keys, barred, removed, refusal } = plan;
  const { armors, follow } = shapes[format] ?? {};
  let warnings: readonly string[] = [];
  if (format === "opkg") await claimHome(path);
  const present = async () => await fs.readFile(await recordOf(path, format)).catch(() => undefined);
  // In an outage, too, what an earlier run failed to take away goes.
  if (refusal === undefined || removed.length > 0 || (barred.size > 0 && (await present()) !== undefined)) {
    warnings = (await follow?.(plan)) ?? [];
    const keyring = keyringOf(certificates);
    const data = armors?.(path) && keys.length > 0 ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
    const there = await present();
    if (there === undefined || Buffer.compare(there, Buffer.from(data)) !== 0) {
      await ensureFolder(dirname(path), 0o755);
      if (format === "opkg") await writeHome(path, keyring, keys);
      else await writeFileAtomic(path, data, { mode: 0o644 });
    }
  }
  if (refusal !== undefined) throw refusal;
  return warnings;
}

/** Has a program forget the keys of an export that is about to be removed. @throws FeedkeyError `output` */
export async function clearKeys(program: string, path: string): Promise<void> {
  const shape = Object.entries(shapes).find(([format]) => format === program)?.[1];
  const barred = new Set((await certificatesIn(path)).map(({ fingerprint }) => fingerprint));
  if (shape?.clear !== undefined) await shape.clear(path, [...barred]);
  else await shape?.follow?.({ path, certificates: [], keys: [], barred, revoked: new Set() });
}

/**
 * Asks for news of keys, then plans and writes an export.
 * @param path a file; for opkg a GnuPG home
 * @throws FeedkeyError `unchecked_revocation`, `output`
 */
export async function exportKeys(
  session: Session,
  format: ExportFormat,
  path: string,
  only: readonly string[] = [],
): Promise<Exported> {
  const plan = await planExport(session, await refresh(session), format, path, only);
  const warnings = [...(await applyExport(plan)), ...warningsOf(session.profile, format, plan)];
  for (const warning of warnings) session.options.reporter.warn(warning);
  const { keys, added, removed, left } = plan;
  return { path: plan.path, keys, added, removed, left };
}

/** What an export leaves out, and what the program will not do with it: in words, for its user. */
export function warningsOf({ trust }: Profile, format: ExportFormat, { left, keys }: Exported): string[] {
  const warnings = left.map(({ fingerprint, reason }) => {
    return `${fingerprint} is left out of the export for ${format}: ${reason}`;
  });
  if (trust.threshold > 1)
    warnings.push(`the profile asks for ${trust.threshold} signers, but ${format} accepts a single one`);
  if (keys.length === 0)
    warnings.push("no key may sign now: the export is empty, and the program will refuse everything");
  return warnings;
}
