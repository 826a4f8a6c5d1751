/** Finds the latest delegation by each issuer to each delegate, and the reason if this delegation is refused. */

import { largest, smallest } from "../extremes.ts";
import { append, grouped } from "../grouped.ts";
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { isDelegation, termsOf, trustOf } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts, UserIdFacts } from "./facts.ts";
import { isOwned, matchesIdentity } from "./identity.ts";
import { type Refusal, refuse, skew } from "./policy.ts";
import { refuseCertification } from "./transition.ts";

/** A delegating certification, with its user ID. */
interface Delegation {
  readonly issuer: CertificateFacts;
  readonly subject: CertificateFacts;
  readonly userId: UserIdFacts;
  readonly certification: SignatureFacts;
}

/** The latest delegation by an issuer to a delegate. feedkey computes it once for all paths. */
export interface Offer {
  readonly issuer: Fingerprint;
  readonly subject: Fingerprint;
  /** Lists of globs. The delegate may sign a feed only if every list has a glob that matches the feed's name. */
  readonly scopes: readonly (readonly string[])[];
  readonly depth: number;
  readonly madeAt: Instant;
  readonly expiresAt: Instant;
  readonly refusal: Refusal | undefined;
}

interface OfferPolicy {
  readonly identity: Identity;
  readonly at: Instant;
}

/** Yields every delegation by the primary key of one of the certificates to another of the certificates. */
function* delegationsAmong(certificates: ReadonlyMap<Fingerprint, CertificateFacts>): Generator<Delegation> {
  for (const subject of certificates.values()) {
    for (const userId of subject.userIds) {
      for (const certification of userId.certifications) {
        const issuer = certificates.get(certification.certificate);
        if (issuer === undefined || issuer === subject || !isDelegation(certification)) continue;
        yield { issuer, subject, userId, certification };
      }
    }
  }
}

/**
 * Returns the newest of an issuer's delegations to one delegate, over any user ID; several delegations if they have the same date. A
 * replaced delegation never becomes valid again, even if the newest delegation is withdrawn, expired or unreadable: an issuer who narrowed
 * a delegation must be able to rely on that. Delegations that can't count now (made by a subkey, without a date, or dated in the future)
 * replace nothing. The function returns these only if there are no others, so that feedkey can say why it refuses them.
 */
function lastWord(delegations: readonly Delegation[], at: Instant): readonly Delegation[] {
  const dated = delegations.filter(({ issuer, certification: { key, createdAt } }) => {
    return key === issuer.primary.fingerprint && createdAt !== undefined && createdAt <= at + skew;
  });
  const newest = largest(dated.map(({ certification }) => certification.createdAt ?? 0));
  return dated.length === 0 ? delegations : dated.filter(({ certification }) => certification.createdAt === newest);
}

/**
 * Whether a delegate ever self-certified the archive's user ID. Such a delegate is refused, because other programs could take its key for a
 * key of the archive. User IDs without a self-signature do not count, because anybody can add one to a copy of the certificate to get the
 * delegate refused.
 */
function carriesName({ userIds }: CertificateFacts, { identity }: OfferPolicy): boolean {
  return userIds.some(({ bytes, selfSignatures }) => selfSignatures.length > 0 && matchesIdentity(bytes, identity));
}

/**
 * Returns why a delegation is refused for its own faults, whether or not its issuer may delegate.
 * @param named whether the delegate has the archive's user ID
 */
function refuseDelegation(delegation: Delegation, { at, identity }: OfferPolicy, named: boolean): Refusal | undefined {
  const { issuer, subject, userId, certification } = delegation;
  const policy = { identity, at, retiredIssuers: "refuse", accepted: new Set<Fingerprint>() } as const;
  const refused = refuseCertification(certification, userId, issuer, subject, policy);
  if (refused !== undefined) return refused;
  if (certification.expiresAt === undefined)
    return refuse("bad_signature", "it has no expiry, which a delegation must have");
  if (certification.expiresAt <= at) return refuse("expired", "it has expired");
  if (!isOwned(userId, subject, at))
    return refuse("untrusted_signer", "its user ID is revoked or not properly self-certified");
  if (named) return refuse("untrusted_signer", "the delegate carries the archive's own user ID");
  const terms = termsOf(certification);
  if (terms === undefined) return refuse("bad_signature", "its notation with depth and feeds is malformed");
  const { level, amount } = trustOf(terms.depth);
  if (certification.trust.level === level && certification.trust.amount === amount) return undefined;
  return refuse("bad_signature", "its trust signature does not fit the depth in its notation");
}

/** Combines an issuer's delegations to one delegate into an offer. */
function offerOf(delegations: readonly Delegation[], policy: OfferPolicy): Offer | undefined {
  const words = lastWord(delegations, policy.at);
  const [first] = words;
  if (first === undefined) return undefined;
  // Computed only once for all delegations, because a delegate may have a hundred thousand user IDs and delegations.
  const named = carriesName(first.subject, policy);
  const terms = words.map(({ certification }) => termsOf(certification));
  return {
    issuer: first.issuer.primary.fingerprint,
    subject: first.subject.primary.fingerprint,
    scopes: terms.map((one) => one?.feeds ?? []),
    depth: smallest(terms.map((one) => one?.depth ?? 0)),
    madeAt: first.certification.createdAt ?? 0,
    expiresAt: smallest(words.map(({ certification }) => certification.expiresAt ?? 0)),
    refusal: words.map((one) => refuseDelegation(one, policy, named)).find((refusal) => refusal !== undefined),
  };
}

/** Returns all offers, grouped by issuer. */
export function offersAmong(
  certificates: ReadonlyMap<Fingerprint, CertificateFacts>,
  policy: OfferPolicy,
): Map<Fingerprint, Offer[]> {
  const pairs = grouped(
    delegationsAmong(certificates),
    ({ issuer, subject }) => `${issuer.primary.fingerprint} ${subject.primary.fingerprint}`,
  );
  const offers = new Map<Fingerprint, Offer[]>();
  for (const delegations of pairs.values()) {
    const offer = offerOf(delegations, policy);
    if (offer !== undefined) append(offers, offer.issuer, offer);
  }
  return offers;
}
