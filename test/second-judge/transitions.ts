/** The second judge, part two: whether one key passes the archive's name on to another (T1, T3). */
import type { Identity } from "../../src/profile/types.ts";
import type { Instant } from "../../src/time.ts";
import type { CertificateFacts, SignatureFacts, UserIdFacts } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge.ts";
import {
  algorithmEnds,
  everCertified,
  hasStrongHash,
  isHardRevoked,
  isOwned,
  isStrongKey,
  latestClaim,
  mayCertify,
  saidEnd,
  skew,
  softRevokedSince,
} from "./statements.ts";

function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** T1. A user ID with a second `<` or `>` matches no address. */
export function names(userId: UserIdFacts, identity: Identity): boolean {
  if (identity.kind === "user-id") return userId.bytes === bytesOf(identity.userId);
  const [before, inside, ...more] = userId.bytes.split("<");
  if (before === undefined || inside === undefined || more.length > 0 || before.includes(">")) return false;
  return inside === `${bytesOf(identity.email)}>`;
}

/**
 * As an acknowledgement one counts that has expired since; in the wide graph, one that was withdrawn, or whose issuer was retired or
 * says by now that it ended sooner. Firm: by T14 too, of which all that T6 and T7 look at knows nothing.
 */
export type Reading = "firm" | "strict" | "acknowledgement" | "wide";

/** T3, for one certification over one user ID of the subject. */
export function counts(
  certification: SignatureFacts,
  userId: UserIdFacts,
  issuer: CertificateFacts,
  subject: CertificateFacts,
  input: JudgeInput,
  reading: Reading,
): boolean {
  const { at } = input;
  const date = certification.createdAt;
  // T3a
  if (certification.key !== issuer.primary.fingerprint) return false;
  const isAccepted = input.accepted.has(subject.primary.fingerprint);
  const isSpared = isAccepted || reading === "wide";
  if (!mayCertify(issuer, at) && !(isSpared && everCertified(issuer, at))) return false;
  // T3b
  if (date === undefined || date > at + skew) return false;
  if (date < issuer.primary.createdAt || date < subject.primary.createdAt) return false;
  if (!certification.exportable) return false;
  if (reading !== "acknowledgement" && certification.expiresAt !== undefined && certification.expiresAt <= at)
    return false;
  const withdrawn = userId.withdrawals.some(
    (withdrawal) => withdrawal.key === issuer.primary.fingerprint && (withdrawal.createdAt ?? 0) <= at + skew,
  );
  if (withdrawn && reading !== "wide") return false;
  // T3c and T5
  if (isHardRevoked(issuer)) return false;
  const end = isSpared ? latestClaim(issuer, at) : saidEnd(issuer, at);
  if (end <= date) return false;
  // T3d and T5
  const retired = softRevokedSince(issuer, at);
  if (retired !== undefined && reading !== "wide") {
    if (input.retiredIssuers !== "accept" && !isAccepted) return false;
    if (date >= retired) return false;
  }
  // T14 and T5
  const outdated = algorithmEnds(issuer.primary);
  if (reading === "firm" && at >= outdated && !(isAccepted && date < outdated)) return false;
  // T3e
  return hasStrongHash(certification) && isStrongKey(issuer.primary) && certification.unknownCritical.length === 0;
}

/** A certification that means to delegate is no transition, whatever it stands on. */
export function delegates({ notations }: SignatureFacts): boolean {
  return notations.some(({ name }) => name.startsWith("delegate@"));
}

function someCounts(
  issuer: CertificateFacts,
  subject: CertificateFacts,
  input: JudgeInput,
  reading: Reading,
  before: Instant = Number.POSITIVE_INFINITY,
): boolean {
  if (issuer.primary.fingerprint === subject.primary.fingerprint) return false;
  return subject.userIds.some(
    (userId) =>
      names(userId, input.identity) &&
      userId.certifications.some(
        (one) =>
          (one.createdAt ?? before) < before && !delegates(one) && counts(one, userId, issuer, subject, input, reading),
      ) &&
      isOwned(userId, subject.primary, input.at),
  );
}

/** T3, T14: the transition from issuer to subject holds. */
export function holdsFirmly(issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput): boolean {
  return someCounts(issuer, subject, input, "firm");
}

/** T6: it holds, or would without T14. */
export function holds(issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput): boolean {
  return someCounts(issuer, subject, input, "strict");
}

/** T6: the issuer has said that the subject is right, even if that has expired since. */
export function acknowledges(issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput): boolean {
  return someCounts(issuer, subject, input, "acknowledgement");
}

/** T6: the transition holds, or would if the issuer had not withdrawn it, not been retired, and ended only at its latest end. */
export function wasMade(issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput): boolean {
  return someCounts(issuer, subject, input, "wide");
}

/** T7: the same by a certification from before a moment. */
export function wasMadeBefore(end: Instant) {
  return (issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput) =>
    someCounts(issuer, subject, input, "wide", end);
}
