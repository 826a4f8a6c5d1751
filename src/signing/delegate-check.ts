/**
 * Checks whether clients accept a key as the archive's delegate, and through which other keys. The checks use only the certificates in the
 * key store.
 */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Instant } from "../time.ts";
import { allows, scopesText, scopeText } from "../trust/delegation.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { judge, type Trusted, type TrustSet } from "../trust/judge.ts";
import type { OwnCertificate } from "./signing-key.ts";

export type Own = ReadonlyMap<Fingerprint, OwnCertificate>;

/** Whether a known key ever delegated to this certificate. The delegation need not be valid. */
export function isDelegate({ userIds }: CertificateFacts): boolean {
  return userIds.some(({ certifications }) => certifications.some(isDelegation));
}

/** Whether a certificate ever had this user ID with a self-signature. */
export function claims({ userIds }: CertificateFacts, userId: string): boolean {
  return userIds.some(({ selfSignatures, bytes }) => {
    return selfSignatures.length > 0 && matchesIdentity(bytes, { kind: "user-id", userId });
  });
}

/** Returns the known keys that delegated to a certificate. */
function delegators({ userIds }: CertificateFacts): Fingerprint[] {
  return userIds.flatMap(({ certifications }) => certifications.filter(isDelegation).map((one) => one.certificate));
}

/**
 * Returns a key and all keys above it: the keys that delegated to the key, and the chain of the archive's own keys. Clients need all these
 * certificates to verify the delegation.
 */
export function withPath(own: Own, fingerprint: Fingerprint): OwnCertificate[] {
  const path = new Set([fingerprint]);
  for (const key of path) {
    for (const { text, certifications } of own.get(key)?.facts.userIds ?? []) {
      for (const certification of certifications) {
        const issuer = own.get(certification.certificate)?.facts;
        if (issuer !== undefined && (isDelegation(certification) || claims(issuer, text))) {
          path.add(certification.certificate);
        }
      }
    }
  }
  return [...path].flatMap((key) => own.get(key) ?? []);
}

/**
 * Follows delegations upwards from a key, and returns the keys at the top, which are not delegates. For a key that is not a delegate,
 * returns the key itself.
 */
export function rootsOf(own: Own, fingerprint: Fingerprint): OwnCertificate[] {
  const above = new Set([fingerprint]);
  for (const key of above) {
    const facts = own.get(key)?.facts;
    for (const issuer of facts === undefined ? [] : delegators(facts)) above.add(issuer);
  }
  return [...above].flatMap((key) => own.get(key) ?? []).filter(({ facts }) => !isDelegate(facts));
}

/** Judges the certificates in the key store like a new client with these seeds. */
export function judgeAfresh(
  certificates: readonly CertificateFacts[],
  userId: string,
  seeds: readonly Fingerprint[],
  at: Instant,
): TrustSet {
  return judge({
    certificates,
    identity: { kind: "user-id", userId },
    seeds,
    retiredIssuers: "refuse",
    at,
    accepted: new Set(),
    unchecked: new Set(),
  });
}

/**
 * Judges the certificates in the key store like a client whose seeds are all keys with the archive's user ID. A delegate can't have this
 * user ID, and a seed needs no delegation.
 */
export function judgeOwn(own: Own, userId: string, at: Instant): TrustSet {
  const certificates = [...own.values()].map(({ facts }) => facts);
  const seeds = certificates.filter((facts) => claims(facts, userId)).map(({ primary }) => primary.fingerprint);
  return judgeAfresh(certificates, userId, seeds, at);
}

/** How clients judge a delegate. */
interface Standing {
  readonly trust: TrustSet;
  /** The trusted delegate, with its delegations; undefined if clients refuse the delegate. */
  readonly delegate: Trusted | undefined;
}

/**
 * Returns how clients judge a delegate.
 * @param userId the archive's user ID; if undefined, the user IDs of the keys at the top of the delegate's path
 * @returns undefined if no known certificate makes the key a delegate
 */
export function standingOf(
  own: Own,
  fingerprint: Fingerprint,
  userId: string | undefined,
  at: Instant,
): Standing | undefined {
  const facts = own.get(fingerprint)?.facts;
  if (facts === undefined || !isDelegate(facts)) return undefined;
  const names = userId === undefined ? rootsOf(own, fingerprint).map(nameOf) : [userId];
  const standings = [...new Set(names)].map((name) => {
    const trust = judgeOwn(own, name, at);
    return { trust, delegate: trust.trusted.get(fingerprint) };
  });
  return standings.find(({ delegate }) => delegate !== undefined) ?? standings[0];
}

/** Returns the first user ID of a certificate. */
export function nameOf({ facts }: OwnCertificate): string {
  return facts.userIds[0]?.text ?? "";
}

/**
 * Throws an error if clients would refuse a delegate's signatures on the feeds. For a key that is not a delegate, does nothing.
 * @param feeds the names of the feeds to sign
 * @param userId the archive's user ID, if it is known
 * @throws FeedkeyError `untrusted_signer`, `revoked` or another code if clients would refuse the delegate or its signature on a feed
 */
export function refuseBeyondDelegation(
  own: Own,
  fingerprint: Fingerprint,
  feeds: readonly string[],
  userId: string | undefined,
  at: Instant,
): void {
  const standing = standingOf(own, fingerprint, userId, at);
  if (standing === undefined) return;
  const { trust, delegate } = standing;
  if (delegate === undefined) {
    const { code, reason } = trust.rejected.get(fingerprint) ?? { code: "untrusted_signer", reason: "" };
    throw new FeedkeyError(code, `clients refuse signatures by ${fingerprint}: ${reason}`, {
      details: { fingerprint, because: reason },
      hint: "ask the owner of the delegating key to renew the delegation, then import the new certificate: feedkey key import FILE",
    });
  }
  if (delegate.role !== "delegate") return;
  const beyond = feeds.find((feed) => !delegate.grants.some((grant) => allows(grant, feed)));
  if (beyond === undefined) return;
  const scopes = delegate.grants.map((grant) => scopeText(grant.scopes));
  throw new FeedkeyError("untrusted_signer", `${fingerprint} may not sign feed "${escapeText(beyond)}"`, {
    details: { fingerprint, feed: beyond, scopes },
    hint: `the key's delegation is for ${scopesText(delegate.grants)}: ask for a delegation that includes this feed, or sign with another key`,
  });
}
