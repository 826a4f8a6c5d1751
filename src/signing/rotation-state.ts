/** The state of a rotation. feedkey reads it only from the certificates, so that no other record can contradict them. */
import { largest } from "../extremes.ts";
import { type Instant, wholeSecond } from "../time.ts";
import type { CertificateFacts, Fingerprint, KeyFacts, SignatureFacts } from "../trust/facts.ts";
import { matchingUserIds } from "../trust/identity.ts";
import { effectiveRevocation, refusePrimary } from "../trust/key-state.ts";
import type { OwnCertificate } from "./signing-key.ts";

export interface RotationState {
  readonly present: OwnCertificate;
  /** The next key. The present key certified it without an expiry; the next key is not revoked, and the certification was not withdrawn. */
  readonly successor: OwnCertificate | undefined;
  /** When the successor's certification of the present key expires. From then on, the keeper may finish the rotation. */
  readonly overlapEnds: Instant | undefined;
  /** The key that certified the present key. */
  readonly predecessor: OwnCertificate | undefined;
}

/** Returns the certifications of `subject` by `issuer`, under the archive's user ID, that were not withdrawn. */
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
 * Returns the date for a rotation's signatures: a second before `at`, or later if a key is newer (T3b: no certification may be older than
 * its keys). So a signature that is valid for one second has expired before clients get it, and a key that certified something can be
 * retired in the same run.
 */
export function dateOfWork(at: Instant, ...keys: readonly KeyFacts[]): Instant {
  return largest([wholeSecond(at) - 1000, ...keys.map(({ createdAt }) => createdAt)]);
}

/** Returns the state of a rotation. @param own all certificates in the key store */
export function rotationState(
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
  present: OwnCertificate,
  userId: string,
  at: Instant,
): RotationState {
  const others = [...own.values()].filter(({ raw }) => raw.fingerprint !== present.raw.fingerprint);
  const endless = (subject: OwnCertificate, issuer: OwnCertificate) => {
    // A successor's certification of its predecessor always has an expiry; a predecessor's certification of its successor has none.
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
