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
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";
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
  /** Keys that may sign but that the program can't read, with the reason. */
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

/** What a program can't read: GnuPG 2.2 knows no v6; one key that is not RSA spoils pkg_install's whole keyring. */
function unreadable({ primary, subkeys }: CertificateFacts, format: ExportFormat): string | undefined {
  if (primary.version !== 4) return `it is of version ${primary.version}`;
  if (format !== "pkg_install") return undefined;
  if ([primary, ...subkeys].some(({ algorithm }) => algorithm !== "rsa")) return "it is not RSA";
  return primary.keyId.startsWith("00") ? "its key ID begins with 00, which netpgpverify can't look up" : undefined;
}

/** The certificates that may sign now, each cut down to what is needed. */
async function choose(session: Session, judged: Judged, format: ExportFormat) {
  const { trust } = judged;
  const held = await session.knowledge.worthKeeping(trust, session.accepted);
  const chosen: RawCertificate[] = [];
  const left: { fingerprint: Fingerprint; reason: string }[] = [];
  for (const [fingerprint, { facts }] of trust.trusted) {
    const able = signers(facts, trust);
    const certificate = held.get(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    const reason = unreadable(facts, format);
    if (reason !== undefined) left.push({ fingerprint, reason });
    else chosen.push(minimal(certificate, able));
  }
  return { chosen, left };
}

async function keysIn(path: string): Promise<Set<Fingerprint>> {
  try {
    return new Set(readKeys(await fs.readFile(path)).certificates.map(({ fingerprint }) => fingerprint));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return new Set();
  }
}

/**
 * A key whose revocation could not be asked about is no reason to empty the keyring of every machine in an outage.
 * @throws FeedkeyError `unchecked_revocation`: what lies there stays
 */
function refuseOutage({ trust }: Judged, before: ReadonlySet<Fingerprint>): void {
  for (const fingerprint of before) {
    const rejected = trust.rejected.get(fingerprint);
    if (rejected?.code !== "unchecked_revocation") continue;
    throw new FeedkeyError("unchecked_revocation", `the keyring is left as it is: ${fingerprint}: ${rejected.reason}`, {
      details: { fingerprint },
      hint: "make sure that a key server of the profile can be reached, then try again",
    });
  }
}

/**
 * Writes the export, or leaves it alone if nothing changed.
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
  const before = await keysIn(record);
  refuseOutage(judged, before);
  const { chosen, left } = await choose(session, judged, format);
  const keyring = new Uint8Array(Buffer.concat(chosen.map(writeCertificate)));
  const keys = chosen.map(({ fingerprint }) => fingerprint);
  const data = format === "apt" && target.endsWith(".asc") ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
  const there = await fs.readFile(record).catch(() => undefined);
  if (there === undefined || Buffer.compare(there, Buffer.from(data)) !== 0) {
    await ensureFolder(dirname(target), 0o755);
    if (format === "opkg") await writeHome(target, keyring, keys);
    else await writeFileAtomic(target, data, { mode: 0o644 });
  }
  return {
    path: target,
    keys,
    added: keys.filter((key) => !before.has(key)),
    removed: [...before].filter((key) => !keys.includes(key)),
    left,
  };
}
