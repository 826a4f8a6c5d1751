/** Use case: write the keys that may sign now as another program reads them; for that program, removal is the only revocation. */
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, orRefusal, systemCode } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate/certificate.ts";
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
  /** Keys that may sign but that the program can't read or restrict, with the reason. */
  readonly left: readonly { readonly fingerprint: Fingerprint; readonly reason: string }[];
}

/** What a program needs in addition to a binary file. */
interface Shape {
  /** Whether a file of this name is armored. */
  armors?(path: string): boolean;
  /** Makes the program use the keys, if it would not notice the file. @returns warnings @throws FeedkeyError `output` */
  follow?(plan: Pick<ExportPlan, "path" | "certificates" | "keys" | "barred" | "revoked">): Promise<readonly string[]>;
  /** Removes the keys of an export from the program, if writing an empty export is not enough. */
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

async function certificatesIn(path: string): Promise<RawCertificate[]> {
  try {
    return [...readKeys(await fs.readFile(path)).certificates];
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Keys that could sign now if their revocation state were known. */
function waitingFor({ trust }: Judged): Map<Fingerprint, Rejected> {
  const unchecked = [...trust.rejected].filter(([, { code }]) => code === "unchecked_revocation");
  return new Map(unchecked.filter(([, { facts }]) => signingKeys(facts, trust.at).size > 0));
}

/** A planned export; nothing is written. */
export interface ExportPlan extends Exported {
  readonly format: ExportFormat;
  readonly certificates: readonly RawCertificate[];
  /**
   * Keys of the archive that the program must not have: also those that an earlier run failed to take from it. Not those that only another
   * export for the program put there.
   */
  readonly barred: ReadonlySet<Fingerprint>;
  /** Those of them that nothing but the present file tells of: it keeps them until the program has lost them. */
  readonly remembered: readonly RawCertificate[];
  /** Those of them that are revoked. */
  readonly revoked: ReadonlySet<Fingerprint>;
  /** Why the export must be refused, after known bad keys were removed from it. */
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
 * @param only names of the feeds that the keyring is for; if empty, all that the program reads
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
 * Does what was planned, or leaves the export alone if nothing changed. The file comes last: by it the next run knows what this one did. Where the
 * program failed to take it over, too, it loses what is known not to be trusted: programs read it by themselves.
 * @returns warnings
 * @throws FeedkeyError `unchecked_revocation`, `output`
 */
export async function applyExport(plan: ExportPlan): Promise<readonly string[]> {
  const { format, path, certificates, keys, barred, removed, refusal } = plan;
  const { armors, follow } = shapes[format] ?? {};
  let warnings: readonly string[] = [];
  if (format === "opkg") await claimHome(path);
  const present = async () => await fs.readFile(await recordOf(path, format)).catch(() => undefined);
  // Even during an outage, keys that an earlier run failed to remove are removed.
  if (refusal === undefined || removed.length > 0 || (barred.size > 0 && (await present()) !== undefined)) {
    const followed = await orRefusal(async () => (await follow?.(plan)) ?? []);
    const isBehind = followed instanceof FeedkeyError;
    const inFile = isBehind ? [...certificates, ...plan.remembered] : certificates;
    const keyring = keyringOf(inFile);
    const data = armors?.(path) && inFile.length > 0 ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
    const there = await present();
    if (isBehind && there === undefined) throw followed;
    if (there === undefined || Buffer.compare(there, Buffer.from(data)) !== 0) {
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

/** Removes the keys of an export from a program before the export is removed. @throws FeedkeyError `output` */
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

/** Warnings for the user about keys that an export leaves out, and limits of the program. */
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
