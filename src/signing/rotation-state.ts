/** The state of a rotation, read from the certificates: there is no second record that could disagree. */
import { largest } from "../extremes.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint, KeyFacts, SignatureFacts } from "../trust/facts.ts";
import { matchingUserIds } from "../trust/identity.ts";
import { effectiveRevocation, refusePrimary } from "../trust/key-state.ts";
import type { OwnCertificate } from "./signing-key.ts";

export interface RotationState {
  readonly present: OwnCertificate;
  /** The next key: certified by the present one without expiry, neither revoked nor withdrawn. */
  readonly successor: OwnCertificate | undefined;
  /** The expiry of the successor's certification of the present key: from then on the rotation may be finished. */
  readonly overlapEnds: Instant | undefined;
  /** The key that certified the present one. */
  readonly predecessor: OwnCertificate | undefined;
}

/** Certifications of `subject` by `issuer` under the archive's user ID that were not withdrawn. */
export function certifications(
  subject: CertificateFacts,
  issuer: Fingerprint,
  userId: string,
  at: Instant,
): SignatureFacts[] {
  return matchingUserIds(subject, { kind: "user-id", userId }, at).flatMap((found) => {
    if (found.withdrawals.some((withdrawal) => withdrawal.key === issuer)) return [];
    return found.certifications.filter(({ key }) => key === issuer);
  });
}

/**
 * The date of a rotation's signatures: a second ago, or as soon after as the keys allow (T3b). So a signature that lasts one
 * second has expired before clients get it, and a key that certified something can be retired in the same run.
 */
export function dateOfWork(at: Instant, ...keys: readonly KeyFacts[]): Instant {
  return largest([Math.floor(at / 1000) * 1000 - 1000, ...keys.map(({ createdAt }) => createdAt)]);
}

/** @param own all certificates of the key store */
export function rotationState(
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
  present: OwnCertificate,
  userId: string,
  at: Instant,
): RotationState {
  const others = [...own.values()].filter(({ raw }) => raw.fingerprint !== present.raw.fingerprint);
  const endless = (subject: OwnCertificate, issuer: OwnCertificate) => {
    // The certification of a predecessor by its successor always has an expiry.
    return certifications(subject.facts, issuer.raw.fingerprint, userId, at).some(
      ({ expiresAt }) => expiresAt === undefined,
    );
  };
  const alive = (one: OwnCertificate) => effectiveRevocation(one.facts.revocations, at) === undefined;
  const successor = others
    .filter((one) => alive(one) && endless(one, present) && refusePrimary(one.facts, at) === undefined)
    .sort((a, b) => b.facts.primary.createdAt - a.facts.primary.createdAt)[0];
  const back = successor === undefined ? [] : certifications(present.facts, successor.raw.fingerprint, userId, at);
  return {
    present,
    successor,
    overlapEnds: back.map(({ expiresAt }) => expiresAt).find((end) => end !== undefined),
    predecessor: others.find((one) => endless(present, one)),
  };
}
