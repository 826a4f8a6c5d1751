/** Delegation (design, section 7): who may sign some feeds for a time because a key of the chain, or another delegate, said so. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { type DelegationTerms, isDelegation, matchesFeed, termsOf } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts, UserIdFacts } from "./facts.ts";
import { isOwned, matchesIdentity } from "./identity.ts";
import { refusePrimary } from "./key-state.ts";
import { type Refusal, refuse } from "./policy.ts";
import { type Link, refuseCertification } from "./transition.ts";

/** One path by which a delegate got its rights. */
export interface Grant {
  /** From the seed to the issuer. */
  readonly via: readonly Fingerprint[];
  /** What each delegation on the path allows: a feed must fit all of them. */
  readonly scopes: readonly (readonly string[])[];
  /** How many further delegations may follow. */
  readonly depth: number;
  /** When the first delegation on the path ends. */
  readonly expiresAt: Instant;
}

export interface Delegations {
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  /** Every delegation looked at, with the reason against it. */
  readonly links: readonly Link[];
}

export interface DelegationInput {
  readonly certificates: ReadonlyMap<Fingerprint, CertificateFacts>;
  /** Accepted keys of the chain with their own paths: they may delegate anything, to any depth. */
  readonly roots: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  readonly identity: Identity;
  readonly at: Instant;
  readonly unchecked: ReadonlySet<Fingerprint>;
}

/** Paths kept for one delegate: more would only be a way to waste time. */
const maxGrants = 16;

/** Whether a grant lets its holder sign for a feed: every scope on the path has to. */
export function allows({ scopes }: Grant, feed: string): boolean {
  return scopes.every((globs) => matchesFeed(feed, globs));
}

interface Certified {
  readonly issuer: CertificateFacts;
  readonly subject: CertificateFacts;
  readonly userId: UserIdFacts;
  readonly certification: SignatureFacts;
}

/** A delegation with what it says, and what it says against itself: worked out once, however many paths lead to it. */
interface Offer {
  readonly subject: Fingerprint;
  readonly terms: DelegationTerms | undefined;
  readonly expiresAt: Instant;
  readonly refusal: Refusal | undefined;
}

/** All certifications that mean to delegate, by issuer. */
function offersOf(input: DelegationInput): Map<Fingerprint, Offer[]> {
  const { certificates } = input;
  const offers = new Map<Fingerprint, Offer[]>();
  for (const subject of certificates.values()) {
    for (const userId of subject.userIds) {
      for (const certification of userId.certifications) {
        const issuer = certificates.get(certification.certificate);
        if (issuer === undefined || issuer === subject || !isDelegation(certification)) continue;
        const offer = {
          subject: subject.primary.fingerprint,
          terms: termsOf(certification),
          expiresAt: certification.expiresAt ?? 0,
          refusal: refuseOffer({ issuer, subject, userId, certification }, input),
        };
        const known = offers.get(issuer.primary.fingerprint);
        if (known === undefined) offers.set(issuer.primary.fingerprint, [offer]);
        else known.push(offer);
      }
    }
  }
  return offers;
}

/** What a delegation says against itself, whoever hands it out. */
function refuseOffer(
  { issuer, subject, userId, certification }: Certified,
  input: DelegationInput,
): Refusal | undefined {
  const { at, identity } = input;
  const policy = { identity, at, retiredIssuers: "refuse", accepted: new Set<Fingerprint>() } as const;
  const refused = refuseCertification(certification, userId, issuer, subject, policy);
  if (refused !== undefined) return refused;
  if (certification.expiresAt === undefined)
    return refuse("bad_signature", "it has no expiry, which a delegation must have");
  if (certification.expiresAt <= at) return refuse("expired", "it has expired");
  if (!isOwned(userId, subject, at))
    return refuse("untrusted_signer", "its user ID is revoked or not properly self-certified");
  // A delegate that carries the archive's name could be taken for the archive by other programs. Only what it says
  // itself counts, if only once: anybody can hang a user ID on a copy of its certificate, to have it refused.
  const claimed = subject.userIds.filter(({ selfSignatures }) => selfSignatures.length > 0);
  if (claimed.some(({ bytes }) => matchesIdentity(bytes, identity))) {
    return refuse("untrusted_signer", "the delegate carries the archive's own user ID");
  }
  return termsOf(certification) === undefined ? refuse("bad_signature", "its terms are malformed") : undefined;
}

/** What the place of the issuer in the chain says. */
function refuseHolder(issuer: CertificateFacts | undefined, depth: number, at: Instant): Refusal | undefined {
  if (issuer === undefined || depth < 1) return refuse("untrusted_signer", "its issuer may not delegate further");
  // Stricter than for transitions: a build machine is not a client that has to catch up.
  const state = refusePrimary(issuer, at);
  return state && refuse(state.code, `its issuer can't delegate now: ${state.reason}`);
}

function extend(holder: Grant, issuer: Fingerprint, { expiresAt }: Offer, terms: DelegationTerms): Grant {
  return {
    via: [...holder.via, issuer],
    scopes: [...holder.scopes, terms.feeds],
    depth: Math.min(terms.depth, holder.depth - 1),
    expiresAt: Math.min(holder.expiresAt, expiresAt),
  };
}

/** Whether an earlier grant allows all that this one does. */
function isCovered(grant: Grant, known: readonly Grant[]): boolean {
  const scope = JSON.stringify(grant.scopes);
  return known.some(
    (one) => one.depth >= grant.depth && one.expiresAt >= grant.expiresAt && JSON.stringify(one.scopes) === scope,
  );
}

/** Finds every delegate that a key of the chain leads to, breadth first, each path counting its own depth and scopes. */
export function findDelegates(input: DelegationInput): Delegations {
  const offers = offersOf(input);
  const grants = new Map<Fingerprint, Grant[]>();
  const links = new Map<Offer, Link>();
  const waiting: { issuer: Fingerprint; grant: Grant }[] = [...input.roots].map(([issuer, via]) => {
    return { issuer, grant: { via, scopes: [], depth: Number.POSITIVE_INFINITY, expiresAt: Number.POSITIVE_INFINITY } };
  });
  // What is added on the way is visited too: a breadth-first search.
  for (const { issuer, grant: holder } of waiting) {
    const held = refuseHolder(input.certificates.get(issuer), holder.depth, input.at);
    for (const offer of offers.get(issuer) ?? []) {
      const { subject, terms } = offer;
      const refusal = held ?? offer.refusal;
      // Told once, and as held if it holds by any path.
      if (refusal === undefined || !links.has(offer)) {
        links.set(offer, { issuer, subject, refusal, acknowledges: false, withdrawn: false });
      }
      // A key of the chain needs no delegation, and an unchecked one gets none (T11).
      const idle = input.roots.has(subject) || input.unchecked.has(subject) || holder.via.includes(subject);
      if (refusal !== undefined || terms === undefined || idle) continue;
      const known = grants.get(subject) ?? [];
      if (known.length >= maxGrants) continue;
      const grant = extend(holder, issuer, offer, terms);
      if (isCovered(grant, known)) continue;
      grants.set(subject, [...known, grant]);
      waiting.push({ issuer: subject, grant });
    }
  }
  return { grants, links: [...links.values()] };
}
