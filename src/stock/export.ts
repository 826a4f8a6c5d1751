/**
 * Use case: writes the keys that may sign now for a stock program. Most programs learn of a revocation only because feedkey removes the
 * key.
 */
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, orRefusal, systemCode } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { type RawCertificate, writeCertificates } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { armor } from "../openpgp/packet/armor.ts";
import type { Profile } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { refresh } from "../refresh/refresh.ts";
import type { Session } from "../refresh/session.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { isFallen, type Rejected } from "../trust/judge.ts";
import { followDnf } from "./dnf-rings.ts";
import { choose, type ExportFormat } from "./exported-keys.ts";
import { claimHome, homeRecord, presentHome, writeHome } from "./gnupg-home.ts";
import { clearPacman, followPacman } from "./pacman-keyring.ts";
import { followZypper } from "./rpm-database.ts";

export { type ExportFormat, exportFormats, feedsFor } from "./exported-keys.ts";

export interface Exported {
  readonly path: string;
  readonly added: readonly Fingerprint[];
  readonly removed: readonly Fingerprint[];
  readonly keys: readonly Fingerprint[];
  /**
   * The keys that may sign but can't be in the keyring, because the program can't read them or can't restrict them to their feeds; each
   * with the reason.
   */
  readonly left: readonly { readonly fingerprint: Fingerprint; readonly reason: string }[];
}

/** What a program needs besides a file with a binary keyring. */
interface Shape {
  /** Whether a file with this path must be armored. */
  armors?(path: string): boolean;
  /**
   * Makes the program use the keys, if writing the file is not enough.
   * @returns warnings for the user
   * @throws FeedkeyError `output` if the program's own keyrings can't be written
   */
  follow?(plan: Pick<ExportPlan, "path" | "certificates" | "keys" | "barred" | "revoked">): Promise<readonly string[]>;
  /** Removes an export's keys from the program, if writing an empty export is not enough. */
  clear?(path: string, keys: readonly Fingerprint[]): Promise<void>;
}

const shapes: Readonly<Partial<Record<ExportFormat, Shape>>> = {
  apt: { armors: (path) => path.endsWith(".asc") },
  dnf: { armors: () => true, follow: followDnf },
  zypper: { armors: () => true, follow: followZypper },
  pacman: { follow: followPacman, clear: clearPacman },
};

async function certificatesIn(path: string): Promise<RawCertificate[]> {
  try {
    return [...readKeys(await fs.readFile(path)).certificates];
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Returns the keys that could sign now if only they had a good check for revocations. */
function waitingFor({ trust }: Judged): Map<Fingerprint, Rejected> {
  const unchecked = [...trust.rejected].filter(([, { code }]) => code === "unchecked_revocation");
  return new Map(unchecked.filter(([, { facts }]) => signingKeys(facts, trust.at).size > 0));
}

/** An export that was planned, but not written yet. */
export interface ExportPlan extends Exported {
  readonly format: ExportFormat;
  readonly certificates: readonly RawCertificate[];
  /**
   * The archive's keys that must not be in the program's keyring, including keys that an earlier run failed to remove from the keyring. Keys
   * that another export for the same program may have added are not in this set.
   */
  readonly barred: ReadonlySet<Fingerprint>;
  /** The barred keys that are known only from the present export file. They stay in this file until the program has lost them. */
  readonly remembered: readonly RawCertificate[];
  /** The revoked keys of the archive that the new export does not contain. */
  readonly revoked: ReadonlySet<Fingerprint>;
  /** The error to throw after `applyExport` has removed the keys that are known to be bad; undefined if the export is complete. */
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

/** Returns the path of the keyring file in which the present export is recorded. */
async function recordOf(path: string, format: ExportFormat): Promise<string> {
  return format === "opkg" ? join(await presentHome(path), homeRecord) : path;
}

/**
 * Plans an export. If no key server answers, this does not empty a keyring: the keyring stays, except for keys that are known to be
 * revoked, expired or no longer in the chain.
 * @param path the path of a file; for opkg, of a GnuPG home
 * @param only the names of the feeds that the keyring is for; an empty list stands for all feeds that the program reads
 * @throws FeedkeyError `output` if the path is a GnuPG home that feedkey did not make
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
  const { chosen, elsewhere, left, held } = await choose(session, judged, format, only);
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
  const idle = [...trusted.keys()].filter((key) => !elsewhere.has(key));
  const barred = new Set([...removed, ...fallen, ...idle].filter((key) => !keys.includes(key) && !may.has(key)));
  const isTold = (key: Fingerprint) => fallen.includes(key) || idle.includes(key);
  return {
    path: target,
    format,
    certificates,
    barred,
    remembered: before.filter(({ fingerprint }) => barred.has(fingerprint) && !isTold(fingerprint)),
    revoked: new Set(fallen.filter((key) => rejected.get(key)?.code === "revoked" && !keys.includes(key))),
    keys,
    added: keys.filter((key) => !known.has(key)),
    removed,
    left,
    refusal: stuck ? outage(waiting, removed) : undefined,
  };
}

/**
 * Carries out a plan, or leaves the export alone if nothing changed. The file is written last, because the next run learns from the file
 * what this run did. The file loses distrusted keys even if the program's own keyrings could not be written, because the program may read
 * the file too.
 * @returns warnings for the user
 * @throws FeedkeyError `unchecked_revocation` if a key had no good check, so that the export is not complete; `output` if a keyring can't
 * be written
 */
export async function applyExport(plan: ExportPlan): Promise<readonly string[]> {
  const { format, path, certificates, keys, barred, removed, refusal } = plan;
  const { armors, follow } = shapes[format] ?? {};
  let warnings: readonly string[] = [];
  if (format === "opkg") await claimHome(path);
  const present = async () => await fs.readFile(await recordOf(path, format)).catch(() => undefined);
  // Even if no key server answers, this run removes keys that an earlier run failed to remove.
  if (refusal === undefined || removed.length > 0 || (barred.size > 0 && (await present()) !== undefined)) {
    const followed = await orRefusal(async () => (await follow?.(plan)) ?? []);
    const isBehind = followed instanceof FeedkeyError;
    const inFile = isBehind ? [...certificates, ...plan.remembered] : certificates;
    const keyring = writeCertificates(inFile);
    const data = armors?.(path) && inFile.length > 0 ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
    const there = await present();
    if (isBehind && there === undefined) throw followed;
    if (there === undefined || !there.equals(Buffer.from(data))) {
      await ensureFolder(dirname(path), 0o755);
      if (format === "opkg") await writeHome(path, keyring, keys);
      else await writeFileAtomic(path, data, { mode: 0o644 });
    }
    if (isBehind) throw followed;
    warnings = followed;
  }
  if (refusal !== undefined) throw refusal;
  return warnings;
}

/**
 * Removes the keys in an export from a program; callers do this before they remove the export.
 * @throws FeedkeyError `output` if a key can't be removed
 */
export async function clearKeys(program: string, path: string): Promise<void> {
  const shape = Object.entries(shapes).find(([format]) => format === program)?.[1];
  const barred = new Set((await certificatesIn(path)).map(({ fingerprint }) => fingerprint));
  if (shape?.clear !== undefined) await shape.clear(path, [...barred]);
  else await shape?.follow?.({ path, certificates: [], keys: [], barred, revoked: new Set() });
}

/**
 * Refreshes the keys, then plans and writes an export.
 * @param path the path of a file; for opkg, of a GnuPG home
 * @throws FeedkeyError `unchecked_revocation` or `output`, as `applyExport` does
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

/** Returns warnings for the user about keys that the export leaves out, and about settings of the profile that the program can't follow. */
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
