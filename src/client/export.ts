/** Use case: the keys that may sign now, in the shape that another program reads. Removal from it is that program's revocation. */
import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { minimal } from "../openpgp/minimal.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import type { Profile } from "../profile/types.ts";
import { writeFileAtomic } from "../store/atomic.ts";
import { ensureFolder } from "../store/folder.ts";
import { allows } from "../trust/delegation.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import type { Trusted, TrustSet } from "../trust/judge.ts";
import { primaryState, refusePrimary, refuseSubkey } from "../trust/key-state.ts";
import type { Judged } from "./knowledge.ts";
import type { Session } from "./session.ts";

export const exportFormats = ["gpgv", "apt", "opkg", "pkg_install"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface Exported {
  readonly path: string;
  readonly added: readonly Fingerprint[];
  readonly removed: readonly Fingerprint[];
  readonly keys: readonly Fingerprint[];
  /** Keys that may sign but that the program can't read or would trust too far, with the reason. */
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

/** Stock programs know no feeds: a delegate of some would sign all of them. */
function narrow({ role, grants }: Trusted, { feeds }: Profile): string | undefined {
  if (role !== "delegate" || feeds.every(({ name }) => grants.some((grant) => allows(grant, name)))) return undefined;
  return "it is a delegate for some feeds only, and the program would take its signature on all";
}

/**
 * The certificates that may sign now, each cut down to what is needed.
 * @param outage keys that stay as they were
 */
async function choose(session: Session, judged: Judged, format: ExportFormat, outage: ReadonlySet<Fingerprint>) {
  const { trust } = judged;
  const held = await session.knowledge.worthKeeping(trust, session.accepted);
  const chosen: RawCertificate[] = [];
  const left: { fingerprint: Fingerprint; reason: string }[] = [];
  const waiting = [...trust.rejected].filter(([fingerprint]) => outage.has(fingerprint));
  for (const [fingerprint, key] of [...trust.trusted, ...waiting]) {
    const { facts } = key;
    const able = signers(facts, trust);
    const certificate = held.get(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    const reason = unreadable(facts, format) ?? ("role" in key ? narrow(key, session.profile) : undefined);
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
 * Keys of the present keyring whose revocation could not be asked about: that is no reason to empty the keyring of
 * every machine in an outage.
 */
function unasked({ trust }: Judged, before: ReadonlySet<Fingerprint>): Set<Fingerprint> {
  return new Set([...before].filter((key) => trust.rejected.get(key)?.code === "unchecked_revocation"));
}

function outageError({ trust }: Judged, [first]: ReadonlySet<Fingerprint>, changed: boolean): FeedkeyError | undefined {
  if (first === undefined) return undefined;
  const what = changed ? "what may not sign any more is out of the keyring, the rest" : "the keyring";
  const because = trust.rejected.get(first)?.reason ?? "";
  return new FeedkeyError("unchecked_revocation", `${what} is left as it is: ${first}: ${because}`, {
    details: { fingerprint: first },
    hint: "make sure that a key server of the profile can be reached, then try again",
  });
}

/** A GnuPG home as opkg wants it: made aside, with ultimate ownertrust for the keys, then put in place. */
async function writeHome(path: string, keyring: Uint8Array, keys: readonly Fingerprint[]): Promise<void> {
  const fresh = `${path}.feedkey-new`;
  await fs.rm(fresh, { recursive: true, force: true });
  await ensureFolder(fresh, 0o700);
  const run = async (args: readonly string[], input: Uint8Array | string) => {
    const child = spawn("gpg", ["--homedir", fresh, "--batch", "--quiet", "--no-autostart", ...args], {
      stdio: ["pipe", "ignore", "pipe"],
    });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-1000);
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const status = await new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
    if (status !== 0) throw new Error(`gpg ${args[0] ?? ""}: ${complaint.trim()}`);
  };
  try {
    // gpg takes nothing to import for a failure; a home without keys is what is wanted then.
    if (keys.length > 0) {
      await run(["--import"], keyring);
      await run(["--import-ownertrust"], keys.map((key) => `${key}:6:\n`).join(""));
    }
    await writeFileAtomic(join(fresh, "feedkey-keyring.pgp"), keyring, { mode: 0o644 });
  } catch (cause) {
    await fs.rm(fresh, { recursive: true, force: true });
    throw new FeedkeyError("output", `the GnuPG home ${escapeText(path)} could not be made`, {
      cause,
      details: { path },
      hint: "GnuPG (gpg) must be installed for --for opkg",
    });
  }
  const old = `${path}.feedkey-old`;
  await fs.rm(old, { recursive: true, force: true });
  await fs.rename(path, old).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
  await fs.rename(fresh, path);
  await fs.rm(old, { recursive: true, force: true });
}

/**
 * Writes the export, or leaves it alone if nothing changed.
 * @param path a file; for opkg a GnuPG home
 * @throws FeedkeyError `unchecked_revocation`: nothing was added, and only what may not sign was removed; `output`
 */
export async function exportKeys(
  session: Session,
  judged: Judged,
  format: ExportFormat,
  path: string,
): Promise<Exported> {
  const target = resolve(path);
  const record = format === "opkg" ? join(target, "feedkey-keyring.pgp") : target;
  const before = await keysIn(record);
  const outage = unasked(judged, before);
  const ready = await choose(session, judged, format, outage);
  // An outage adds nothing, but whoever can bring it about must not keep a revoked key in use by it.
  const chosen = outage.size === 0 ? ready.chosen : ready.chosen.filter(({ fingerprint }) => before.has(fingerprint));
  const { left } = ready;
  const failed = outageError(judged, outage, chosen.length < before.size);
  if (failed !== undefined && chosen.length === before.size) throw failed;
  const keyring = new Uint8Array(Buffer.concat(chosen.map(writeCertificate)));
  const keys = chosen.map(({ fingerprint }) => fingerprint);
  const data = format === "apt" && target.endsWith(".asc") ? armor(keyring, "PUBLIC KEY BLOCK") : keyring;
  const there = await fs.readFile(record).catch(() => undefined);
  if (there === undefined || Buffer.compare(there, Buffer.from(data)) !== 0) {
    await ensureFolder(dirname(target), 0o755);
    if (format === "opkg") await writeHome(target, keyring, keys);
    else await writeFileAtomic(target, data, { mode: 0o644 });
  }
  if (failed !== undefined) throw failed;
  return {
    path: target,
    keys,
    added: keys.filter((key) => !before.has(key)),
    removed: [...before].filter((key) => !keys.includes(key)),
    left,
  };
}
