/** What one key says of another as its delegate, whoever hands it out: the last word of each issuer, and what is against it. */

import { largest, smallest } from "../extremes.ts";
import { append, grouped } from "../grouped.ts";
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { isDelegation, termsOf, trustOf } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts, UserIdFacts } from "./facts.ts";
import { isOwned, matchesIdentity } from "./identity.ts";
import { type Refusal, refuse, skew } from "./policy.ts";
import { refuseCertification } from "./transition.ts";

/** A certification that means to delegate, where it stands. */
export interface Delegation {
  readonly issuer: CertificateFacts;
  readonly subject: CertificateFacts;
  readonly userId: UserIdFacts;
  readonly certification: SignatureFacts;
}

/** The last word of an issuer about a delegate: worked out once, however many paths lead to it. */
export interface Offer {
  readonly issuer: Fingerprint;
  readonly subject: Fingerprint;
  /** Each a list of globs; a feed must fit all of them. */
  readonly scopes: readonly (readonly string[])[];
  readonly depth: number;
  readonly madeAt: Instant;
  readonly expiresAt: Instant;
  readonly refusal: Refusal | undefined;
}

export interface OfferPolicy {
  readonly identity: Identity;
  readonly at: Instant;
}

/** Every certification by one of these certificates, over another of them, that means to delegate. */
export function* delegationsAmong(certificates: ReadonlyMap<Fingerprint, CertificateFacts>): Generator<Delegation> {
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
 * The last word among an issuer's delegations to one delegate: the newest, over whatever user ID, or those of one date.
 * What it replaces never comes back, be it withdrawn, ended or unreadable: who narrows a delegation means it. Those that
 * are no word of the issuer's now (by a subkey, without a date, of the future) replace nothing; all of them where
 * there are no others, for the reason against them.
 */
export function lastWord(delegations: readonly Delegation[], at: Instant): readonly Delegation[] {
  const dated = delegations.filter(({ issuer, certification: { key, createdAt } }) => {
    return key === issuer.primary.fingerprint && createdAt !== undefined && createdAt <= at + skew;
  });
  const newest = largest(dated.map(({ certification }) => certification.createdAt ?? 0));
  return dated.length === 0 ? delegations : dated.filter(({ certification }) => certification.createdAt === newest);
}

/**
 * Whether a delegate carries the archive's name: other programs could take it for the archive. Only what it says itself counts,
 * if only once: anybody can hang a user ID on a copy of its certificate, to have it refused.
 */
function carriesName({ userIds }: CertificateFacts, { identity }: OfferPolicy): boolean {
  const claimed = userIds.filter(({ selfSignatures }) => selfSignatures.length > 0);
  if (claimed.some(({ bytes }) => matchesIdentity(bytes, identity))) return true;
  return false;
}

/** What a delegation says against itself, whoever hands it out. @param named whether its delegate carries the archive's name */
export function refuseDelegation(
  delegation: Delegation,
  { at, identity }: OfferPolicy,
  named: boolean,
): Refusal | undefined {
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
  if (terms === undefined) return refuse("bad_signature", "its terms are malformed");
  const { level, amount } = trustOf(terms.depth);
  if (certification.trust.level === level && certification.trust.amount === amount) return undefined;
  return refuse("bad_signature", "its trust signature says another depth than its terms");
}

/** The offer that an issuer's delegations to one delegate make. */
export function offerOf(delegations: readonly Delegation[], policy: OfferPolicy): Offer | undefined {
  const words = lastWord(delegations, policy.at);
  const [first] = words;
  if (first === undefined) return undefined;
  // Once: a delegate may have a hundred thousand user IDs, and as many delegations.
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

/** All offers, by issuer. */
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
