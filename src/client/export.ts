/** Use case: the keys that may sign now, in the shape that another program reads. Removal from it is that program's revocation. */
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { minimal } from "../openpgp/minimal.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { writeFileAtomic } from "../store/atomic.ts";
import { ensureFolder } from "../store/folder.ts";
import { allows } from "../trust/delegation.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import type { Rejected, Trusted, TrustSet } from "../trust/judge.ts";
import { primaryState, refusePrimary, refuseSubkey } from "../trust/key-state.ts";
import { claimHome, homeRecord, writeHome } from "./gnupg-home.ts";
import type { Judged } from "./knowledge.ts";
import type { Session } from "./session.ts";

export const exportFormats = ["gpgv", "apt", "opkg", "pkg_install"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface Exported {
  readonly path: string;
  readonly added: readonly Fingerprint[];
  readonly removed: readonly Fingerprint[];
  readonly keys: readonly Fingerprint[];
  /** Keys that may sign but that the program can't read, or could not be told what for, with the reason. */
  readonly left: readonly { readonly fingerprint: Fingerprint; readonly reason: string }[];
}

/** Fingerprints of the component keys by which a certificate may sign now; empty if none. */
function signers(facts: CertificateFacts, { at }: TrustSet): Set<Fingerprint> {
  if (refusePrimary(facts, at) !== undefined) return new Set();
  const state = primaryState(facts, at);
  const primary = !("code" in state) && state.canSign ? [facts.primary.fingerprint] : [];
  const subkeys = facts.subkeys.filter((subkey) => refuseSubkey(subkey, at) === undefined);
  return new Set([...primary, ...subkeys.map(({ fingerprint }) => fingerprint)]);
}

/**
 * What a program can't read: GnuPG 2.2 knows no v6; one key that is not RSA spoils pkg_install's whole keyring.
 * @param able the component keys that would be exported beside the primary
 */
function unreadable(
  { primary, subkeys }: CertificateFacts,
  able: ReadonlySet<Fingerprint>,
  format: ExportFormat,
): string | undefined {
  if (primary.version !== 4) return `it is of version ${primary.version}`;
  if (format !== "pkg_install") return undefined;
  const exported = [primary, ...subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
  if (exported.some(({ algorithm }) => algorithm !== "rsa")) return "it is not RSA";
  return primary.keyId.startsWith("00") ? "its key ID begins with 00, which netpgpverify can't look up" : undefined;
}

/** A keyring knows no feeds: a delegate in it could sign all of them (design, section 7). */
function confined({ role, grants }: Trusted, { profile }: Session): string | undefined {
  if (role !== "delegate") return undefined;
  const barred = profile.feeds.filter(({ name }) => !grants.some((grant) => allows(grant, name)));
  if (profile.feeds.length > 0 && barred.length === 0) return undefined;
  const names = barred.map(({ name }) => `"${name}"`).join(", ") || "everything";
  return `it is a delegate that may not sign ${names}, which a keyring can't say`;
}

/** The certificates that may sign now, each cut down to what is needed. */
async function choose(session: Session, judged: Judged, format: ExportFormat) {
  const { trust } = judged;
  const held = await session.knowledge.worthKeeping(trust, session.accepted);
  const chosen: RawCertificate[] = [];
  const left: { fingerprint: Fingerprint; reason: string }[] = [];
  for (const [fingerprint, trusted] of trust.trusted) {
    const able = signers(trusted.facts, trust);
    const certificate = held.get(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    const reason = confined(trusted, session) ?? unreadable(trusted.facts, able, format);
    if (reason !== undefined) left.push({ fingerprint, reason });
    else chosen.push(minimal(certificate, able));
  }
  return { chosen, left };
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
  return new Map(unchecked.filter(([, { facts }]) => signers(facts, trust).size > 0));
}

async function write(
  path: string,
  format: ExportFormat,
  certificates: readonly RawCertificate[],
  record: string,
): Promise<void> {
  const keyring = new Uint8Array(Buffer.concat(certificates.map(writeCertificate)));
  const data = format === "apt" && path.endsWith(".asc") ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
  const there = await fs.readFile(record).catch(() => undefined);
  if (there !== undefined && Buffer.compare(there, Buffer.from(data)) === 0) return;
  await ensureFolder(dirname(path), 0o755);
  const keys = certificates.map(({ fingerprint }) => fingerprint);
  if (format === "opkg") await writeHome(path, keyring, keys);
  else await writeFileAtomic(path, data, { mode: 0o644 });
}

function outage(waiting: ReadonlyMap<Fingerprint, Rejected>, removed: readonly Fingerprint[]): FeedkeyError {
  const [fingerprint, rejected] = [...waiting][0] ?? ["", undefined];
  const rest = removed.length === 0 ? "" : ` but for ${removed.join(", ")}, which may not sign any more`;
  const message = `the keyring is left as it is${rest}: ${fingerprint}: ${rejected?.reason ?? ""}`;
  return new FeedkeyError("unchecked_revocation", message, {
    details: { fingerprint, unchecked: [...waiting.keys()], removed },
    hint: "make sure that a key server of the profile can be reached, then try again",
  });
}

/**
 * Writes the export, or leaves it alone if nothing changed. An outage of the key servers empties no keyring: what
 * lies there stays, but for keys that are known to be revoked, expired or no longer of the chain.
 * @param path a file; for opkg a GnuPG home
 * @throws FeedkeyError `unchecked_revocation`, `output`
 */
export async function exportKeys(
  session: Session,
  judged: Judged,
  format: ExportFormat,
  path: string,
): Promise<Exported> {
  const target = resolve(path);
  if (format === "opkg") await claimHome(target);
  const record = format === "opkg" ? join(target, homeRecord) : target;
  const before = await certificatesIn(record);
  const { chosen, left } = await choose(session, judged, format);
  const keys = chosen.map(({ fingerprint }) => fingerprint);
  const waiting = waitingFor(judged);
  const removedBut = (kept: (key: Fingerprint) => boolean) => {
    return before.map(({ fingerprint }) => fingerprint).filter((key) => !kept(key));
  };
  if (before.some(({ fingerprint }) => waiting.has(fingerprint)) || (keys.length === 0 && waiting.size > 0)) {
    const removed = removedBut((key) => keys.includes(key) || waiting.has(key));
    const kept = before.filter(({ fingerprint }) => !removed.includes(fingerprint));
    if (removed.length > 0) await write(target, format, kept, record);
    throw outage(waiting, removed);
  }
  await write(target, format, chosen, record);
  const known = new Set(before.map(({ fingerprint }) => fingerprint));
  return {
    path: target,
    keys,
    added: keys.filter((key) => !known.has(key)),
    removed: removedBut((key) => keys.includes(key)),
    left,
  };
}
