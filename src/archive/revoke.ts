/** Use case: revoke a key, or withdraw a successor that went wrong; who loses their chain is said before anything is done. */
import { FeedkeyError } from "../error.ts";
import { certify, withKeySignature } from "../openpgp/amend.ts";
import type { RawCertificate } from "../openpgp/certificate.ts";
import { type RevocationReason, revocationReasons } from "../openpgp/generate.ts";
import { unite } from "../openpgp/merge.ts";
import type { Packet } from "../openpgp/packets.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { effectiveRevocation, revocationWords } from "../trust/key-state.ts";
import { type Archive, amendStored, ownCertificate, refreshBundle } from "./archive.ts";
import { compareGenerations, describeGenerations, type Generation } from "./orphans.ts";
import { notUnderWay, readRotation } from "./rotate.ts";
import { openSigningKey, ownCertificates, type PassphraseSource } from "./signing-key.ts";

/** `unspecified` is read as hard by every client: no reason may mean the worst. */
export type RevokeReason = RevocationReason | "unspecified";

export interface RevocationPlan {
  readonly fingerprint: Fingerprint;
  readonly reason: RevokeReason;
  /** The certificate with the revocation in it. */
  readonly revoked: RawCertificate;
  readonly generations: readonly Generation[];
  /** It was revoked for good before; nothing is left to do but to spread it. */
  readonly already: boolean;
}

/** The certificate made together with the key: for a hard revocation its date does not matter, and no secret is needed. */
async function fromSafe(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevocationReason,
): Promise<RawCertificate> {
  const { loose } = readKeys(Buffer.from(await store.revocation(certificate.fingerprint, reason)));
  const [packet] = loose;
  if (packet !== undefined) return withKeySignature(certificate, packet);
  throw new FeedkeyError(
    "bad_certificate",
    `the revocation certificate "${reason}" of ${certificate.fingerprint} can't be read`,
    {
      hint: "bring it back from a backup",
    },
  );
}

/** One of today: a soft revocation holds from its date on, and the one from the safe dates from the key's creation. */
async function ofToday(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevokeReason,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<RawCertificate> {
  const key = await openSigningKey(store, certificate.fingerprint, passphrase);
  const code = reason === "unspecified" ? 0 : revocationReasons[reason];
  const packet: Packet = await key.secret.revokeSelf({ at: Math.floor(at / 1000) * 1000, reason: { code, text: "" } });
  return withKeySignature(certificate, packet);
}

async function revoke(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevokeReason,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<RawCertificate> {
  const hasSecret = await store.hasPrivate(certificate.fingerprint);
  if (reason === "compromised") return await fromSafe(store, certificate, reason);
  if (hasSecret) return await ofToday(store, certificate, reason, at, passphrase);
  if (reason !== "unspecified") return await fromSafe(store, certificate, reason);
  throw new FeedkeyError("not_found", `the secret key of ${certificate.fingerprint} is not here`, {
    hint: 'revoke it as "compromised" with the certificate from the safe',
  });
}

/**
 * Works out what a revocation does.
 * @param userId the archive's, for the judgement over its generations of clients
 * @throws FeedkeyError `not_found`, `bad_certificate`, `bad_config` (passphrase)
 */
export async function planRevocation(
  store: KeyStore,
  fingerprint: Fingerprint,
  reason: RevokeReason,
  userId: string,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<RevocationPlan> {
  const own = await ownCertificates(store);
  const { raw, facts } = await ownCertificate(store, fingerprint);
  const before = new Map([...own].map(([name, one]) => [name, one.raw]));
  const already = effectiveRevocation(facts.revocations, at)?.kind === "hard";
  const revoked = already ? raw : await revoke(store, raw, reason, at, passphrase);
  const after = new Map(before).set(fingerprint, unite(raw, revoked));
  const generations = await compareGenerations(before, after, own.keys(), userId, at);
  return { fingerprint, reason, revoked, generations, already };
}

/** @throws FeedkeyError `usage`: somebody loses their chain and that was not allowed */
export function refuseOrphans({ fingerprint, generations }: RevocationPlan, force: boolean): void {
  const orphans = generations.filter(({ orphaned }) => orphaned);
  if (force || orphans.length === 0) return;
  throw new FeedkeyError(
    "usage",
    `revoking ${fingerprint} orphans clients: ${describeGenerations(orphans).join("; ")}`,
    {
      details: { fingerprint, orphaned: orphans.map(({ seed }) => seed) },
      hint: "if it must be so (a stolen key must go at once), say --force; they need a release with a new seed",
    },
  );
}

/** Puts the revocation into the store and the bundle. Repeating it changes nothing. */
export async function applyRevocation(
  plan: RevocationPlan,
  store: KeyStore,
  archive: Archive | undefined,
): Promise<string[]> {
  const done: string[] = [];
  if (!plan.already) {
    await amendStored(store, plan.revoked);
    const { facts } = await ownCertificate(store, plan.fingerprint);
    const hard = plan.reason === "compromised" || plan.reason === "unspecified";
    const revocation = facts.revocations.find(({ kind }) => kind === "hard" || !hard);
    if (revocation === undefined) {
      throw new FeedkeyError("bad_certificate", `the revocation does not revoke ${plan.fingerprint}`, {
        hint: "the file in revocations/ belongs to another key: bring the right one back from a backup",
      });
    }
    done.push(`${plan.fingerprint} is ${revocationWords(revocation)}`);
  }
  if (archive !== undefined) for (const file of await refreshBundle(archive)) done.push(`wrote ${file}`);
  return done;
}

/**
 * Withdraws a successor that went wrong: the present key takes its certification back (0x30), and the successor
 * revokes itself.
 * @throws FeedkeyError `usage` if no rotation is under way
 */
export async function abandonRotation(archive: Archive): Promise<{ successor: Fingerprint; done: string[] }> {
  const { store, config, at, passphrase } = archive;
  const state = await readRotation(archive);
  const present = state.present.raw.fingerprint;
  if (state.successor === undefined) throw notUnderWay(present);
  const { raw } = state.successor;
  const key = await openSigningKey(store, present, passphrase);
  const date = Math.floor(at / 1000) * 1000;
  const reason = { code: 0, text: "rotation abandoned" };
  await amendStored(store, await certify(key.secret, raw, config.userId, { type: 0x30, at: date, reason }));
  const done = [`${present} withdrew its certification of ${raw.fingerprint}`];
  await amendStored(store, await revoke(store, raw, "retired", at, passphrase));
  done.push(`${raw.fingerprint} is revoked as retired`);
  for (const file of await refreshBundle(archive)) done.push(`wrote ${file}`);
  return { successor: raw.fingerprint, done };
}
