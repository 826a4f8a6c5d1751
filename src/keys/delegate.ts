/** Use case: make and withdraw delegations. A delegation lets another key sign some feeds for a limited time. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { largest } from "../extremes.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { certify } from "../openpgp/secret/amend.ts";
import { ownCertificate } from "../publish/archive.ts";
import { type Own, standingOf, withPath } from "../signing/delegate-check.ts";
import {
  notationDomain,
  type OwnCertificate,
  openSigningKey,
  ownCertificates,
  type PassphraseSource,
} from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Duration, type Instant, iso, wholeSecond } from "../time.ts";
import {
  type DelegationTerms,
  formatTerms,
  isDelegation,
  matchesFeed,
  parseTerms,
  trustOf,
} from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { primaryState, refusePrimary } from "../trust/key-state.ts";
import { chooseUserId, knownOf, readRequest, refuseCrammed } from "./delegation-request.ts";
import { listDelegations } from "./delegations.ts";
import { amendStored } from "./store-certificate.ts";

/** The delegate's certificate, armored or binary, or the fingerprint of a certificate in the key store. */
export type Request = Uint8Array | Fingerprint;

interface DelegationTermsWanted {
  /** The key that delegates: a key of the archive, or a delegate whose depth allows further delegations. */
  readonly key: string;
  readonly feeds: readonly string[];
  readonly depth: number;
  readonly expires: Duration;
  readonly at: Instant;
}

/** A planned delegation, which can be shown or carried out. */
export interface DelegationPlan {
  readonly issuer: OwnCertificate;
  readonly subject: RawCertificate;
  readonly userId: string;
  readonly terms: string;
  readonly depth: number;
  readonly madeAt: Instant;
  readonly expiresAt: Instant;
  /** Warnings that clients will limit the delegation more than its terms do. */
  readonly warnings: readonly string[];
}

export interface Withdrawal {
  readonly issuer: OwnCertificate;
  readonly subject: RawCertificate;
  /** The user IDs over which the delegations were made. */
  readonly userIds: readonly string[];
  /** The keys to which the withdrawn delegate delegated. */
  readonly below: readonly Fingerprint[];
}

/** Returns the terms of the delegation. @throws FeedkeyError `usage`: when the terms are not valid */
function termsFor({ feeds, depth }: DelegationTermsWanted): { readonly text: string; readonly terms: DelegationTerms } {
  const text = formatTerms({ depth, feeds });
  const terms = parseTerms(text);
  if (terms !== undefined) return { text, terms };
  throw new FeedkeyError("usage", `these terms of a delegation are not valid: ${escapeText(text)}`, {
    hint: "give --feeds names or patterns separated by commas, without spaces, and --depth a number from 0 to 8",
  });
}

/**
 * Refuses an issuer that can't delegate.
 * @throws FeedkeyError `revoked`, `expired` or another code: when clients refuse the key; `bad_certificate`: when the key flags do
 * not allow certifying
 */
function refuseIssuer({ raw, facts }: OwnCertificate, at: Instant): void {
  const details = { fingerprint: raw.fingerprint };
  const refused = refusePrimary(facts, at);
  if (refused !== undefined)
    throw new FeedkeyError(refused.code, `${raw.fingerprint} can't delegate: ${refused.reason}`, { details });
  const state = primaryState(facts, at);
  if ("code" in state || state.canCertify) return;
  throw new FeedkeyError(
    "bad_certificate",
    `${raw.fingerprint} can't delegate: its key flags do not allow certifying`,
    {
      details,
    },
  );
}

/**
 * Checks a new delegation whose issuer is a delegate.
 * @returns warnings about the limits that the delegation to the issuer adds to the terms
 * @throws FeedkeyError `untrusted_signer`, `expired` or another code: when clients would refuse the new delegation
 */
function limitsOf(
  own: Own,
  { raw }: OwnCertificate,
  terms: DelegationTerms,
  expiresAt: Instant,
  at: Instant,
): string[] {
  const { fingerprint } = raw;
  const standing = standingOf(own, fingerprint, undefined, at);
  if (standing === undefined) return [];
  const refuse = (code: FeedkeyError["code"], why: string) =>
    new FeedkeyError(code, `clients would refuse a delegation by ${fingerprint}: ${why}`, {
      details: { fingerprint, because: why },
      hint: "first ask the owner of the key that delegated to this key to renew that delegation or to give it wider terms",
    });
  const { trust, delegate } = standing;
  if (delegate === undefined) {
    const { code, reason } = trust.rejected.get(fingerprint) ?? {
      code: "untrusted_signer",
      reason: "clients do not know this key",
    };
    throw refuse(code, reason);
  }
  if (delegate.role !== "delegate") return [];
  const deep = delegate.grants.filter(({ depth }) => depth > 0);
  if (deep.length === 0) throw refuse("untrusted_signer", "the delegation to this key has depth 0");
  // Only feed names without wildcards can be compared with the issuer's globs.
  const beyond = terms.feeds
    .filter((feed) => !/[*?]/.test(feed))
    .find((feed) => {
      return !deep.some(({ scopes }) => scopes.every((globs) => matchesFeed(feed, globs)));
    });
  if (beyond !== undefined) throw refuse("untrusted_signer", `this key may not sign feed "${beyond}" itself`);
  const warnings: string[] = [];
  const depth = largest(deep.map((grant) => grant.depth)) - 1;
  if (terms.depth > depth)
    warnings.push(`clients will use depth ${depth} for this delegation: ${fingerprint} may not give a greater depth`);
  const ends = largest(deep.map((grant) => grant.expiresAt));
  if (ends < expiresAt)
    warnings.push(
      `this delegation will end sooner, on ${iso(ends)}, unless the delegation to ${fingerprint} is renewed`,
    );
  return warnings;
}

/** Returns the date of the issuer's latest delegation to this delegate. The next delegation must be newer. */
function lastWordAt({ userIds }: CertificateFacts, issuer: Fingerprint): Instant {
  const words = userIds.flatMap(({ certifications }) => certifications.filter(isDelegation));
  return largest([0, ...words.filter(({ key }) => key === issuer).map(({ createdAt }) => createdAt ?? 0)]);
}

/**
 * Returns the date for the new delegation.
 * @throws FeedkeyError `not_yet_valid`: when the latest delegation is dated in the future, so the clock is wrong or was wrong
 */
function dateOf(facts: CertificateFacts, issuer: Fingerprint, at: Instant): Instant {
  const now = Math.max(wholeSecond(at), facts.primary.createdAt);
  const last = lastWordAt(facts, issuer);
  if (last < now) return now;
  // Two delegations with the same date would limit each other.
  if (last - now < 60_000) return last + 1000;
  const problem = `the latest delegation by ${issuer} to this key has a date in the future: ${iso(last)}`;
  throw new FeedkeyError("not_yet_valid", problem, {
    details: { issuer, madeAt: iso(last) },
    hint: "clients use only the delegation with the newest date: correct this machine's clock, or wait until that date",
  });
}

async function requested(store: KeyStore, request: Request): Promise<RawCertificate> {
  if (typeof request !== "string") return readRequest(request);
  return (await ownCertificate(store, await store.resolve(request))).raw;
}

/**
 * Plans a new or renewed delegation. This needs no secret key and changes nothing.
 * @throws FeedkeyError `bad_certificate`, `usage`, `revoked`, `expired`, `untrusted_signer` or another code: when the delegation
 * is not possible
 */
export async function planDelegation(
  store: KeyStore,
  request: Request,
  wanted: DelegationTermsWanted,
): Promise<DelegationPlan> {
  const { at } = wanted;
  const { text, terms } = termsFor(wanted);
  const raw = await requested(store, request);
  const issuer = await ownCertificate(store, await store.resolve(wanted.key));
  refuseIssuer(issuer, at);
  const own = await ownCertificates(store);
  const known = await knownOf(raw, own);
  refuseCrammed(known);
  const userId = chooseUserId(known.facts, issuer, own, at).text;
  const madeAt = dateOf(known.facts, issuer.raw.fingerprint, at);
  const expiresAt = madeAt + wanted.expires;
  const warnings = limitsOf(own, issuer, terms, expiresAt, at);
  return { issuer, subject: known.raw, userId, terms: text, depth: terms.depth, madeAt, expiresAt, warnings };
}

/**
 * Makes the delegation, and stores the delegate's certificate in the key store, so that the next bundle contains the certificate.
 * @param domain the domain in the notation's name. The default is the domain of the address in the issuer's user ID
 * @returns the certificates for the delegate's key store: the delegate's certificate first, then the certificates of all keys on
 * its path
 * @throws FeedkeyError `not_found`: when the issuer's secret key is missing; `bad_config`: when the passphrase is wrong
 */
export async function applyDelegation(
  store: KeyStore,
  { issuer, subject, userId, terms, depth, madeAt, expiresAt }: DelegationPlan,
  passphrase: PassphraseSource,
  domain?: string,
): Promise<RawCertificate[]> {
  const { secret } = await openSigningKey(store, issuer.raw.fingerprint, passphrase);
  const certificate = await certify(secret, subject, userId, {
    type: 0x10,
    at: madeAt,
    expiresAt,
    notations: [{ name: `delegate@${notationDomain(issuer, domain)}`, value: terms }],
    ...(depth === 0 ? {} : { trust: trustOf(depth) }),
  });
  await amendStored(store, certificate);
  return await pathOf(store, subject.fingerprint);
}

async function pathOf(store: KeyStore, fingerprint: Fingerprint): Promise<RawCertificate[]> {
  return withPath(await ownCertificates(store), fingerprint).map(({ raw }) => raw);
}

/**
 * Plans the withdrawal of a delegation, and changes nothing.
 * @throws FeedkeyError `not_found`: when the key never delegated to this delegate
 */
export async function planWithdrawal(
  store: KeyStore,
  request: Request,
  { key, at }: Pick<DelegationTermsWanted, "key" | "at">,
): Promise<Withdrawal> {
  const asked = await requested(store, request);
  const issuer = await ownCertificate(store, await store.resolve(key));
  const own = await ownCertificates(store);
  const { raw, facts } = await knownOf(asked, own);
  const by = issuer.raw.fingerprint;
  const given = facts.userIds.filter(({ certifications }) => certifications.some((one) => one.key === by));
  if (given.length === 0) {
    throw new FeedkeyError("not_found", `${by} never delegated to ${raw.fingerprint}`, {
      details: { issuer: by, delegate: raw.fingerprint },
      hint: "check both fingerprints with feedkey delegate --status; if the delegate's stored certificate is too old, give a newer one as a file: feedkey delegate FILE --withdraw --key FINGERPRINT",
    });
  }
  const below = listDelegations(own, undefined, at).filter((one) => one.issuer === raw.fingerprint);
  return {
    issuer,
    subject: raw,
    userIds: given.map(({ text }) => text),
    below: below.filter(({ refused }) => refused === undefined).map(({ delegate }) => delegate),
  };
}

/**
 * Withdraws a delegation. The issuer makes a revocation (0x30) over each user ID that the delegation certified.
 * @returns the certificates as `applyDelegation` returns them, and the other keys that still delegate to this delegate
 * @throws FeedkeyError `not_found`: when the issuer's secret key is missing; `bad_config`: when the passphrase is wrong
 */
export async function applyWithdrawal(
  store: KeyStore,
  { issuer, subject, userIds }: Withdrawal,
  at: Instant,
  passphrase: PassphraseSource,
): Promise<{ certificates: RawCertificate[]; others: Fingerprint[] }> {
  const { secret } = await openSigningKey(store, issuer.raw.fingerprint, passphrase);
  const content = { type: 0x30, at: wholeSecond(at), reason: { code: 0, text: "delegation withdrawn" } };
  let certificate = subject;
  for (const userId of userIds) certificate = await certify(secret, certificate, userId, content);
  await amendStored(store, certificate);
  const standing = standingOf(await ownCertificates(store), subject.fingerprint, undefined, at);
  const others = standing?.delegate?.grants.flatMap(({ via }) => via.at(-1) ?? []) ?? [];
  return { certificates: await pathOf(store, subject.fingerprint), others: [...new Set(others)] };
}
