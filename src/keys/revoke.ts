/** Use case: revoke a key, or withdraw a bad successor, after showing which clients lose their chain. */
import { FeedkeyError } from "../error.ts";
import { largest } from "../extremes.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { unite } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { readFacts } from "../openpgp/check/read-facts.ts";
import { certify, withKeySignature } from "../openpgp/secret/amend.ts";
import { type RevocationReason, revocationReasons } from "../openpgp/secret/generate.ts";
import { type Archive, ownCertificate, refreshBundle, requireBundle } from "../publish/archive.ts";
import { claims, isDelegate } from "../signing/delegate-check.ts";
import type { RotationState } from "../signing/rotation-state.ts";
import { type OwnCertificate, openSigningKey, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Instant, wholeSecond } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint, Revocation } from "../trust/facts.ts";
import { matchingUserIds } from "../trust/identity.ts";
import { effectiveRevocation, revocationWords } from "../trust/key-state.ts";
import { compareGenerations, describeGenerations, type Generation } from "./cut-off-clients.ts";
import { notUnderWay, readRotation } from "./rotation/rotation-checks.ts";
import { signShared } from "./rotation/shared-feeds.ts";
import { amendStored } from "./store-certificate.ts";

/** The reason for a revocation. `unspecified` is a hard reason for every client, because the key may be compromised. */
export type RevokeReason = RevocationReason | "unspecified";

export interface RevocationPlan {
  readonly fingerprint: Fingerprint;
  readonly reason: RevokeReason;
  readonly at: Instant;
  /** The certificate, with the revocation in it. */
  readonly revoked: RawCertificate;
  readonly generations: readonly Generation[];
  /** Whether the key already has a revocation that is at least as severe, and that only has to be distributed. */
  readonly already: boolean;
}

/**
 * Adds the revocation certificate that was made with the key. A hard revocation needs no secret key, and its date does not
 * matter.
 */
async function fromSafe(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevocationReason,
): Promise<RawCertificate> {
  const { loose } = readKeys(Buffer.from(await store.revocation(certificate.fingerprint, reason)));
  const [packet] = loose;
  if (packet !== undefined) return withKeySignature(certificate, packet);
  const what = `the revocation certificate "${reason}" of ${certificate.fingerprint}`;
  throw new FeedkeyError("bad_certificate", `${what} can't be read`, { hint: "restore the file from a backup" });
}

/**
 * Returns when the key last certified a successor in the store. Delegations do not count: they end with the key,
 * whatever their dates.
 */
async function lastCertification(store: KeyStore, fingerprint: Fingerprint): Promise<Instant> {
  const userIds = [...(await ownCertificates(store)).values()].flatMap(({ facts }) => facts.userIds);
  const made = userIds.flatMap(({ certifications }) => certifications);
  const links = made.filter((one) => one.key === fingerprint && !isDelegation(one));
  return largest([0, ...links.map(({ createdAt }) => createdAt ?? 0)]);
}

/** Makes a new revocation. A soft revocation counts from its date on, and the stored one has the date of the key's creation. */
async function ofToday(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevokeReason,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<RawCertificate> {
  const { fingerprint } = certificate;
  const key = await openSigningKey(store, fingerprint, passphrase);
  const code = reason === "unspecified" ? 0 : revocationReasons[reason];
  const now = wholeSecond(at);
  // T3d: only certifications from before the revocation count, so a certification from this second needs a later
  // revocation.
  const date = (await lastCertification(store, fingerprint)) === now ? now + 1000 : now;
  return withKeySignature(certificate, await key.secret.revokeSelf({ at: date, reason: { code, text: "" } }));
}

async function revoke(
  store: KeyStore,
  certificate: RawCertificate,
  reason: RevokeReason,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<RawCertificate> {
  if (reason === "compromised") return await fromSafe(store, certificate, reason);
  if (await store.hasPrivate(certificate.fingerprint)) {
    return await ofToday(store, certificate, reason, at, passphrase);
  }
  if (reason !== "unspecified") return await fromSafe(store, certificate, reason);
  throw new FeedkeyError(
    "not_found",
    `the secret key of ${certificate.fingerprint} is not in this key store, and no prepared revocation certificate states the reason "unspecified"`,
    {
      hint: "use --reason superseded, retired or compromised: each has a prepared revocation certificate",
    },
  );
}

/**
 * Refuses a revocation that does not revoke this certificate. The store must not get a revocation of another key: in
 * the bundle, this revocation would revoke the other key.
 * @throws FeedkeyError `bad_certificate` if the certificate has no such revocation
 */
async function refuseUseless(certificate: RawCertificate, isMeant: (found: Revocation) => boolean): Promise<void> {
  const keys = await KeyIndex.of([certificate]);
  for (const loaded of keys.certificates) if ((await readFacts(loaded, keys)).revocations.some(isMeant)) return;
  throw new FeedkeyError(
    "bad_certificate",
    `the stored revocation certificate is not a valid revocation of ${certificate.fingerprint}`,
    {
      hint: "the file in revocations/ is damaged or belongs to another key: restore the right one from a backup",
    },
  );
}

/** The origin of the revocation: made now, or, for a forecast, the stored revocation, which needs no secret key. */
type Making = "made" | "foreseen";

interface RevocationTerms {
  readonly fingerprint: Fingerprint;
  readonly reason: RevokeReason;
  /** The archive's user ID, used to judge what its generations of clients accept. */
  readonly userId: string;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
  /** All known keys of the archive; undefined for the keys in the store. */
  readonly known: ReadonlyMap<Fingerprint, OwnCertificate> | undefined;
}

/**
 * Plans a revocation.
 * @throws FeedkeyError `not_found` if the store lacks the key; `bad_certificate`; `bad_config` if the passphrase is
 * wrong
 */
export async function planRevocation(
  store: KeyStore,
  terms: RevocationTerms,
  making: Making = "made",
): Promise<RevocationPlan> {
  const { fingerprint, reason, userId, at, passphrase } = terms;
  const { raw, facts } = await ownCertificate(store, fingerprint);
  const known = terms.known ?? (await ownCertificates(store));
  const before = new Map([...known].map(([name, one]) => [name, one.raw]));
  const hard = reason === "compromised" || reason === "unspecified";
  const isMeant = ({ kind }: Revocation) => kind === "hard" || !hard;
  const present = effectiveRevocation(facts.revocations, at);
  const already = present !== undefined && isMeant(present);
  const isSafe = making === "foreseen" && reason !== "unspecified";
  const make = () => (isSafe ? fromSafe(store, raw, reason) : revoke(store, raw, reason, at, passphrase));
  const revoked = already ? raw : await make();
  await refuseUseless(revoked, isMeant);
  const after = new Map(before).set(fingerprint, unite(before.get(fingerprint) ?? raw, revoked));
  // A delegate is no client's seed, so delegates are left out.
  const seeds = [...known].filter(([, one]) => claims(one.facts, userId) || !isDelegate(one.facts)).map(([key]) => key);
  // Clients are judged one second later, when the revocation surely counts.
  const generations = await compareGenerations(before, after, seeds, userId, at + 1000);
  return { fingerprint, reason, at, revoked, generations, already };
}

/** Refuses a revocation by which clients lose their chain, unless `force` is set. @throws FeedkeyError `usage` */
export function refuseOrphans({ fingerprint, generations }: RevocationPlan, force: boolean): void {
  const orphans = generations.filter(({ orphaned }) => orphaned);
  if (force || orphans.length === 0) return;
  const problem = `some clients would accept no key of the archive after the revocation of ${fingerprint}: ${describeGenerations(orphans).join("; ")}`;
  throw new FeedkeyError("usage", problem, {
    details: { fingerprint, orphaned: orphans.map(({ seed }) => seed) },
    hint: "a stolen key must be revoked nevertheless: use --force, and give these clients a profile with a new seed",
  });
}

/** Puts the revocation into the store. A repetition changes nothing. @returns what was done, in words */
export async function applyRevocation(plan: RevocationPlan, store: KeyStore): Promise<string[]> {
  if (plan.already) return [];
  await amendStored(store, plan.revoked);
  const { facts } = await ownCertificate(store, plan.fingerprint);
  // One second later, because the revocation has this date if the key was used in this second.
  const revocation = effectiveRevocation(facts.revocations, plan.at + 1000);
  return revocation === undefined ? [] : [`${plan.fingerprint} is ${revocationWords(revocation)}`];
}

/** Returns a successor whose certification the present key has already withdrawn, as after an interrupted run. */
async function withdrawn(
  { present }: RotationState,
  { store, config, at }: Archive,
): Promise<OwnCertificate | undefined> {
  const issuer = present.raw.fingerprint;
  const identity = { kind: "user-id", userId: config.userId } as const;
  return [...(await ownCertificates(store)).values()]
    .filter(({ facts }) => {
      return matchingUserIds(facts, identity, at).some(({ withdrawals }) =>
        withdrawals.some(({ key }) => key === issuer),
      );
    })
    .sort((a, b) => b.facts.primary.createdAt - a.facts.primary.createdAt)[0];
}

/** What must be withdrawn to abandon a rotation. */
interface Abandoning {
  readonly present: Fingerprint;
  readonly successor: OwnCertificate;
  /** Whether the present key's certification must still be withdrawn. */
  readonly isCertified: boolean;
  readonly isRevoked: boolean;
  /** Whether the key bundle must be written even if nothing else changes. */
  readonly isBundleOld: boolean;
}

/**
 * Checks whether a rotation may be abandoned, and what is left to do.
 * @throws FeedkeyError `usage` if no rotation is in progress; `not_found` if the present key's secret is missing
 */
export async function checkAbandon(archive: Archive): Promise<Abandoning> {
  const { store, at } = archive;
  const state = await readRotation(archive);
  const present = state.present.raw.fingerprint;
  const successor = state.successor ?? (await withdrawn(state, archive));
  if (successor === undefined) throw notUnderWay(present);
  const isBundleOld = await requireBundle(archive);
  const isCertified = state.successor !== undefined;
  if (isCertified) await store.privateKey(present);
  const isRevoked = effectiveRevocation(successor.facts.revocations, at) !== undefined;
  return { present, successor, isCertified, isRevoked, isBundleOld };
}

/**
 * Withdraws a bad successor: the present key withdraws its certification (0x30), and the successor revokes itself. After a
 * crash, a second call finishes the work.
 * @throws FeedkeyError `usage` if no rotation is in progress
 */
export async function abandonRotation(
  archive: Archive,
): Promise<{ readonly successor: Fingerprint; readonly done: string[]; readonly errors: readonly FeedkeyError[] }> {
  const { store, config, at, passphrase } = archive;
  const { present, successor, isCertified, isRevoked } = await checkAbandon(archive);
  const { fingerprint } = successor.raw;
  const done: string[] = [];
  if (isCertified) {
    const key = await openSigningKey(store, present, passphrase);
    const date = wholeSecond(at);
    const reason = { code: 0, text: "rotation abandoned" };
    const content = { type: 0x30, at: date, reason };
    await amendStored(store, await certify(key.secret, successor.raw, config.userId, content));
    done.push(`${present} withdrew its certification of ${fingerprint}`);
  }
  if (!isRevoked) {
    await amendStored(store, await revoke(store, successor.raw, "retired", at, passphrase));
    done.push(`${fingerprint} is revoked as retired`);
  }
  for (const step of await refreshBundle(archive)) done.push(step);
  const shared = await signShared(archive, []);
  return { successor: fingerprint, done: [...done, ...shared.done], errors: shared.left };
}
