/** Use case: revoke a key, or withdraw a bad successor. The plan first shows which clients would accept no key any more. */
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

/** The reason for a revocation. Every client treats `unspecified` as a hard reason, because the key may be compromised. */
export type RevokeReason = RevocationReason | "unspecified";

export interface RevocationPlan {
  readonly fingerprint: Fingerprint;
  readonly reason: RevokeReason;
  readonly at: Instant;
  /** The certificate with the revocation. */
  readonly revoked: RawCertificate;
  readonly generations: readonly Generation[];
  /** Whether the key already has a revocation that is at least as severe. This revocation must only be distributed. */
  readonly already: boolean;
}

/**
 * Returns the certificate with the revocation that was stored when the key was made. This needs no secret key. The old date of
 * the stored revocation does not matter if the revocation is hard.
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
 * Returns when the key last certified a successor in the store. Delegations are left out, because a delegation ends with the
 * key that made it, whatever its date is.
 */
async function lastCertification(store: KeyStore, fingerprint: Fingerprint): Promise<Instant> {
  const userIds = [...(await ownCertificates(store)).values()].flatMap(({ facts }) => facts.userIds);
  const made = userIds.flatMap(({ certifications }) => certifications);
  const links = made.filter((one) => one.key === fingerprint && !isDelegation(one));
  return largest([0, ...links.map(({ createdAt }) => createdAt ?? 0)]);
}

/**
 * Makes a new revocation. A soft revocation counts from its date on. The stored revocation has the date of the key's creation, so
 * it would count for the key's whole past.
 */
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
  // T3d: only certifications from before the revocation count. If the key made a certification in this second, the revocation is dated one
  // second later, so that the certification stays valid.
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
    `the secret key of ${certificate.fingerprint} is not in this key store, and the store has no revocation certificate for the reason "unspecified"`,
    {
      hint: "use --reason superseded, retired or compromised: feedkey made a revocation certificate for each of these reasons together with the key",
    },
  );
}

/**
 * Refuses a revocation that does not revoke this certificate. If the store contained the revocation of another key, the bundle
 * would revoke the other key.
 * @throws FeedkeyError `bad_certificate`: when the certificate has no revocation that `isMeant` accepts
 */
async function refuseUseless(certificate: RawCertificate, isMeant: (found: Revocation) => boolean): Promise<void> {
  const keys = await KeyIndex.of([certificate]);
  for (const loaded of keys.certificates) if ((await readFacts(loaded, keys)).revocations.some(isMeant)) return;
  throw new FeedkeyError(
    "bad_certificate",
    `the stored revocation certificate is not a valid revocation of ${certificate.fingerprint}`,
    {
      hint: "the file in revocations/ is damaged or belongs to another key: restore the file from a backup",
    },
  );
}

/** Whether feedkey makes a new revocation or uses the stored revocation. The stored revocation needs no secret key, for a forecast. */
type Making = "made" | "foreseen";

interface RevocationTerms {
  readonly fingerprint: Fingerprint;
  readonly reason: RevokeReason;
  /** The archive's user ID, with which clients recognize the archive's keys. */
  readonly userId: string;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
  /** All known keys of the archive; undefined for the keys in the store. */
  readonly known: ReadonlyMap<Fingerprint, OwnCertificate> | undefined;
}

/**
 * Plans a revocation, and changes nothing.
 * @throws FeedkeyError `not_found`: when the store does not have the key; `bad_certificate`: when the revocation is not valid;
 * `bad_config`: when the passphrase is wrong
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
  // Delegates are left out, because no client has a delegate as its seed.
  const seeds = [...known].filter(([, one]) => claims(one.facts, userId) || !isDelegate(one.facts)).map(([key]) => key);
  // The comparison is for one second later, because the revocation may be dated one second after `at`.
  const generations = await compareGenerations(before, after, seeds, userId, at + 1000);
  return { fingerprint, reason, at, revoked, generations, already };
}

/**
 * Refuses a revocation after which some clients would accept no key of the archive.
 * @throws FeedkeyError `usage`: when the revocation is refused, and `force` is not set
 */
export function refuseOrphans({ fingerprint, generations }: RevocationPlan, force: boolean): void {
  const orphans = generations.filter(({ orphaned }) => orphaned);
  if (force || orphans.length === 0) return;
  const problem = `some clients would accept no key of the archive after the revocation of ${fingerprint}: ${describeGenerations(orphans).join("; ")}`;
  throw new FeedkeyError("usage", problem, {
    details: { fingerprint, orphaned: orphans.map(({ seed }) => seed) },
    hint: "if the key was stolen, you must revoke it nevertheless: use --force, and give these clients a profile with a new seed",
  });
}

/** Stores the revocation. A second call changes nothing. @returns sentences that describe what was done */
export async function applyRevocation(plan: RevocationPlan, store: KeyStore): Promise<string[]> {
  if (plan.already) return [];
  await amendStored(store, plan.revoked);
  const { facts } = await ownCertificate(store, plan.fingerprint);
  // The revocation is dated one second later if the key made a certification in this second.
  const revocation = effectiveRevocation(facts.revocations, plan.at + 1000);
  return revocation === undefined ? [] : [`${plan.fingerprint} is ${revocationWords(revocation)}`];
}

/** Returns the newest key whose certification the present key has already withdrawn, for example in an interrupted run. */
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

/** What must be done to abandon a rotation. */
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
 * Checks whether a rotation can be abandoned, and returns what remains to be done.
 * @throws FeedkeyError `usage`: when no rotation is in progress; `not_found`: when the present key's secret is missing
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
 * Withdraws a bad successor. The present key withdraws its certification (0x30), and the successor is revoked as retired. After
 * a crash, a second call finishes the work.
 * @throws FeedkeyError `usage`: when no rotation is in progress
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
