/** T3: decides whether a certification is a valid link of the chain, from its issuer to its subject. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { isDelegation } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts, UserIdFacts } from "./facts.ts";
import { matchesIdentity, matchingUserIds } from "./identity.ts";
import { effectiveRevocation, latestEnd, onceCertified, primaryState, revocationWords } from "./key-state.ts";
import {
  type Refusal,
  refuse,
  refusedFrom,
  refuseOutdated,
  refuseSignature,
  refuseWeakHash,
  refuseWeakKey,
  skew,
} from "./policy.ts";

export interface TransitionPolicy {
  readonly identity: Identity;
  readonly at: Instant;
  /** T3d: whether a certification by an issuer that was soft-revoked later counts. */
  readonly retiredIssuers: "refuse" | "accept";
  /** T5: the keys that this client accepted before. */
  readonly accepted: ReadonlySet<Fingerprint>;
}

/**
 * The policy for one link. T6, for the wide graph: a thief of the issuer's key can withdraw a link, retire the key, or set an earlier
 * expiry. The link is then no longer in the chain, but its subject still counts as a rival of the thief's own keys.
 */
interface LinkPolicy extends TransitionPolicy {
  readonly isWide?: true;
}

/** One certificate's certification by the key of another certificate, as feedkey judged it. */
export interface Link {
  readonly issuer: Fingerprint;
  readonly subject: Fingerprint;
  /** Why the link is not valid; undefined if the link is valid. */
  readonly refusal: Refusal | undefined;
  /** T6: whether the link is valid, or would be valid if the algorithm of its issuer's key were not refused by its date (T14). */
  readonly stands: boolean;
  /** T6: whether the link counts as the issuer's acknowledgement of the subject; it counts even if the certification has expired since. */
  readonly acknowledges: boolean;
  /**
   * T6: whether the link counts in the wide graph: it is valid, or would be valid if its issuer had not withdrawn it (0x30), been retired,
   * or shortened its own expiry since.
   */
  readonly weighs: boolean;
  /** T7: the date of the earliest certification for which `weighs` holds; infinity if there is no such certification. */
  readonly weighsSince: Instant;
  /** Set on a delegation by a key that may not delegate: a thief of a build machine's key can make any number of these delegations. */
  readonly unfounded?: true;
}

/** The values of a link that does not count in the wide graph. */
export const weightless = { stands: false, weighs: false, weighsSince: Number.POSITIVE_INFINITY } as const;

type Judgement = Omit<Link, "issuer" | "subject">;

/** T3a: refuses a certification unless the issuer's primary key made it and may certify; a subkey can't certify. */
function refuseMaker(
  certification: SignatureFacts,
  issuer: CertificateFacts,
  at: Instant,
  isSpared: boolean,
): Refusal | undefined {
  if (certification.key !== issuer.primary.fingerprint) {
    return refuse("bad_signature", "it was made by a subkey, which can't certify");
  }
  const state = primaryState(issuer, at);
  if (isSpared && onceCertified(issuer, at)) return undefined;
  if ("code" in state) return state;
  return state.canCertify ? undefined : refuse("bad_signature", "its issuer's key is not for certifying");
}

/** T3b: checks a certification's dates, whether it is exportable, and whether its issuer withdrew it; but not its own expiry. */
function refuseDate(
  certification: SignatureFacts,
  userId: UserIdFacts,
  issuer: CertificateFacts,
  subject: CertificateFacts,
  at: Instant,
): Refusal | undefined {
  const notBefore = Math.max(issuer.primary.createdAt, subject.primary.createdAt);
  const refused = refuseSignature({ ...certification, expiresAt: undefined }, notBefore, at);
  if (refused?.code === "bad_signature" && (certification.createdAt ?? notBefore) < notBefore) {
    return refuse("bad_signature", "it is older than one of the two keys");
  }
  if (refused !== undefined) return refused;
  if (!certification.exportable) return refuse("untrusted_signer", "it is marked as not exportable");
  const withdrawn = userId.withdrawals.some((withdrawal) => {
    // Only a withdrawal by the issuer's primary key counts. Like any revocation, it needs no strong hash; its date only decides whether it
    // is in force yet.
    return withdrawal.key === issuer.primary.fingerprint && (withdrawal.createdAt ?? 0) <= at + skew;
  });
  return withdrawn ? refuse("revoked", "its issuer has withdrawn it") : undefined;
}

/**
 * Whether an expiry that the issuer shortened is ignored, because a thief may have shortened it. This is so in the wide graph, and for a
 * subject that this client accepted before (T5).
 */
function isSpared(subject: CertificateFacts, { isWide, accepted }: LinkPolicy): boolean {
  return isWide === true || accepted.has(subject.primary.fingerprint);
}

function endNow(issuer: CertificateFacts, at: Instant): Instant {
  const state = primaryState(issuer, at);
  return "code" in state ? Number.NEGATIVE_INFINITY : (state.expiresAt ?? Number.POSITIVE_INFINITY);
}

/**
 * T3c and T3d: checks whether the issuer is revoked, or had expired when it made the certification.
 * @param made the certification's date
 */
function refuseIssuer(
  issuer: CertificateFacts,
  subject: CertificateFacts,
  made: Instant,
  policy: LinkPolicy,
): Refusal | undefined {
  const revocation = effectiveRevocation(issuer.revocations, policy.at);
  // T3c: a hard revocation makes every certification by the issuer void, because a thief can choose any date for a certification.
  if (revocation?.kind === "hard") return refuse("revoked", `its issuer is ${revocationWords(revocation)}`);
  const end = isSpared(subject, policy) ? latestEnd(issuer, policy.at) : endNow(issuer, policy.at);
  if (end <= made) return refuse("expired", "it was made after its issuer had expired");
  if (revocation === undefined || policy.isWide === true) return undefined;
  // T3d: with `retired-issuers = accept`, and for a subject that this client accepted before (T5), earlier certifications count.
  const isLenient = policy.retiredIssuers === "accept" || policy.accepted.has(subject.primary.fingerprint);
  if (isLenient && made < (revocation.createdAt ?? 0)) return undefined;
  return refuse("revoked", `its issuer is ${revocationWords(revocation)}`);
}

/**
 * T14: refuses a link whose issuer has an algorithm that is refused by now. As with a retired issuer, a subject that this client accepted
 * before (T5) stays accepted if the certification is older than the algorithm's date.
 */
function refuseOldIssuer(
  { primary }: CertificateFacts,
  subject: CertificateFacts,
  made: Instant,
  { at, accepted }: TransitionPolicy,
): Refusal | undefined {
  const refused = refuseOutdated(primary, at);
  const isSpared = accepted.has(subject.primary.fingerprint) && made < refusedFrom(primary);
  return refused === undefined || isSpared ? undefined : refuse(refused.code, `its issuer: ${refused.reason}`);
}

/**
 * Checks one certification by T3, but not its own expiry and not the issuer's algorithm (T14). The rules for delegations use this function
 * too.
 */
export function refuseCertification(
  certification: SignatureFacts,
  userId: UserIdFacts,
  issuer: CertificateFacts,
  subject: CertificateFacts,
  policy: LinkPolicy,
): Refusal | undefined {
  return (
    refuseWeakHash(certification) ??
    refuseWeakKey(issuer.primary) ??
    refuseMaker(certification, issuer, policy.at, isSpared(subject, policy)) ??
    refuseDate(certification, userId, issuer, subject, policy.at) ??
    refuseIssuer(issuer, subject, certification.createdAt ?? 0, policy)
  );
}

function judge(
  certification: SignatureFacts,
  userId: UserIdFacts,
  issuer: CertificateFacts,
  subject: CertificateFacts,
  policy: TransitionPolicy,
): Judgement {
  const { at } = policy;
  // A delegate is never a successor, whichever user ID the delegation certifies.
  const delegates = isDelegation(certification)
    ? refuse("untrusted_signer", "it is a delegation, which makes no key a successor")
    : undefined;
  const refusal = delegates ?? refuseCertification(certification, userId, issuer, subject, policy);
  const { expiresAt } = certification;
  const ended = expiresAt !== undefined && expiresAt <= at ? refuse("expired", "it has expired") : undefined;
  const kept = { ...userId, withdrawals: [] };
  const wide = { ...policy, isWide: true } as const;
  const weighs = (delegates ?? ended ?? refuseCertification(certification, kept, issuer, subject, wide)) === undefined;
  const made = certification.createdAt ?? 0;
  return {
    refusal: refusal ?? ended ?? refuseOldIssuer(issuer, subject, made, policy),
    stands: (refusal ?? ended) === undefined,
    acknowledges: refusal === undefined,
    weighs,
    weighsSince: weighs ? made : Number.POSITIVE_INFINITY,
  };
}

/**
 * The refusal codes in the order of the checks. If several certifications by one issuer are refused, feedkey reports the reason of the
 * certification that came furthest.
 */
const furthest = ["unchecked_revocation", "expired", "revoked", "not_yet_valid", "untrusted_signer", "weak_algorithm"];

function better(a: Link, b: Link): number {
  const rank = ({ refusal }: Link) => {
    if (refusal === undefined) return -1;
    const place = furthest.indexOf(refusal.code);
    return place < 0 ? furthest.length : place;
  };
  return rank(a) - rank(b);
}

/** T1: refuses a certification over a user ID without a self-signature in force. feedkey examines it only to tell the reason. */
function disowned({ refusal }: Judgement): Judgement {
  const because = refuse("untrusted_signer", "the user ID is revoked or not properly self-certified");
  return { refusal: refusal ?? because, acknowledges: false, ...weightless };
}

/**
 * Returns every link to `subject`: for each issuer, the best of its certifications over a matching user ID (T1).
 * @param issuers certificates by the fingerprint of their primary key
 */
export function linksInto(
  subject: CertificateFacts,
  issuers: ReadonlyMap<Fingerprint, CertificateFacts>,
  policy: TransitionPolicy,
): Link[] {
  const links = new Map<Fingerprint, Link>();
  const named = subject.userIds.filter(({ bytes }) => matchesIdentity(bytes, policy.identity));
  const owned = new Set(matchingUserIds(subject, policy.identity, policy.at));
  for (const userId of named) {
    for (const certification of userId.certifications) {
      const issuer = issuers.get(certification.certificate);
      if (issuer === undefined || issuer === subject) continue;
      const found = judge(certification, userId, issuer, subject, policy);
      const judged = owned.has(userId) ? found : disowned(found);
      const link = { issuer: issuer.primary.fingerprint, subject: subject.primary.fingerprint, ...judged };
      const known = links.get(link.issuer);
      const best = known === undefined || better(link, known) < 0 ? link : known;
      links.set(link.issuer, {
        ...best,
        stands: link.stands || known?.stands === true,
        acknowledges: link.acknowledges || known?.acknowledges === true,
        weighs: link.weighs || known?.weighs === true,
        weighsSince: Math.min(link.weighsSince, known?.weighsSince ?? Number.POSITIVE_INFINITY),
      });
    }
  }
  return [...links.values()];
}
