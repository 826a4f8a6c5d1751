/** Reads the state of a rotation. feedkey uses only the certificates, so that no other record can contradict them. */
import { largest } from "../extremes.ts";
import { type Instant, wholeSecond } from "../time.ts";
import type { CertificateFacts, Fingerprint, KeyFacts, SignatureFacts } from "../trust/facts.ts";
import { matchingUserIds } from "../trust/identity.ts";
import { effectiveRevocation, refusePrimary } from "../trust/key-state.ts";
import type { OwnCertificate } from "./signing-key.ts";

export interface RotationState {
  readonly present: OwnCertificate;
  /**
   * The next key. The present key certified the next key without an expiry date. The next key is not revoked, and the certification was
   * not withdrawn.
   */
  readonly successor: OwnCertificate | undefined;
  /** When the successor's certification of the present key expires. After this time, the keeper may finish the rotation. */
  readonly overlapEnds: Instant | undefined;
  /** The key that certified the present key. */
  readonly predecessor: OwnCertificate | undefined;
}

/** Returns the certifications by `issuer` of the archive's user ID on `subject`. Leaves out withdrawn certifications. */
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
 * Returns the date for a rotation's signatures: one second before `at`. If a key is newer, returns the key's creation date, because no
 * certification may be older than its keys (T3b). With this date, a signature that is valid for one second has expired before clients get
 * the signature. A key that certified another key can also be retired in the same run.
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
    // A successor's certification of its predecessor always expires. A predecessor's certification of its successor never expires.
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
