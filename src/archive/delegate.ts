/** Use case: let somebody else's key sign some feeds for a time (design, section 7). Works on files alone. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { certify } from "../openpgp/amend.ts";
import type { RawCertificate } from "../openpgp/certificate.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Duration, type Instant, iso } from "../time.ts";
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
import { amendStored, ownCertificate } from "./archive.ts";
import { chooseUserId, knownOf, readRequest } from "./delegation-request.ts";
import {
  notationDomain,
  openSigningKey,
  ownCertificates,
  type PassphraseSource,
  type SigningKey,
} from "./signing-key.ts";
import { type Own, standingOf, withPath } from "./standing.ts";

/** The delegate's certificate, armored or binary, or its fingerprint where the key store has it already. */
export type Request = Uint8Array | Fingerprint;

export interface DelegateOptions {
  /** The key that delegates: one of the archive, or a delegate whose depth allows it. */
  readonly key: string;
  readonly feeds: readonly string[];
  readonly depth: number;
  readonly expires: Duration;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
}

export interface Delegated {
  readonly delegate: Fingerprint;
  /** The delegate's certificate first, then those of everyone on its path: what it needs at home, and what belongs into the bundle. */
  readonly certificates: readonly RawCertificate[];
  readonly userId: string;
  readonly terms: string;
  readonly expiresAt: Instant;
  /** What will keep it from holding that long, or at all, as far as can be told here. */
  readonly warnings: readonly string[];
}

/** @throws FeedkeyError `usage` */
function termsFor({ feeds, depth }: DelegateOptions): { readonly text: string; readonly terms: DelegationTerms } {
  const text = formatTerms({ depth, feeds });
  const terms = parseTerms(text);
  if (terms !== undefined) return { text, terms };
  throw new FeedkeyError("usage", `these terms can't be: ${escapeText(text)}`, {
    hint: "feeds are names or globs with commas, without spaces; the depth is 0 to 8",
  });
}

/** @throws FeedkeyError `revoked`, `expired`..., `bad_certificate` for a key that may not certify */
function refuseIssuer({ raw, facts }: SigningKey, at: Instant): void {
  const details = { fingerprint: raw.fingerprint };
  const refused = refusePrimary(facts, at);
  if (refused !== undefined)
    throw new FeedkeyError(refused.code, `${raw.fingerprint} can't delegate: ${refused.reason}`, { details });
  const state = primaryState(facts, at);
  if ("code" in state || state.canCertify) return;
  throw new FeedkeyError("bad_certificate", `${raw.fingerprint} can't delegate: its key is not for certifying`, {
    details,
  });
}

/**
 * A delegate that delegates further: refused where clients would refuse the outcome.
 * @returns what limits it beyond its own terms
 * @throws FeedkeyError `untrusted_signer`, `expired`...: its own delegation does not allow it
 */
function limitsOf(own: Own, { raw }: SigningKey, terms: DelegationTerms, expiresAt: Instant, at: Instant): string[] {
  const { fingerprint } = raw;
  const standing = standingOf(own, fingerprint, undefined, at);
  if (standing === undefined) return [];
  const refuse = (code: FeedkeyError["code"], why: string) =>
    new FeedkeyError(code, `clients would refuse a delegate of ${fingerprint}: ${why}`, {
      details: { fingerprint, because: why },
      hint: "have its own delegation renewed or widened first, by the key that it has it from",
    });
  const { trust, delegate } = standing;
  if (delegate === undefined) {
    const { code, reason } = trust.rejected.get(fingerprint) ?? { code: "untrusted_signer", reason: "it is unknown" };
    throw refuse(code, reason);
  }
  if (delegate.role !== "delegate") return [];
  const deep = delegate.grants.filter(({ depth }) => depth > 0);
  if (deep.length === 0) throw refuse("untrusted_signer", "its own delegation has depth 0");
  // Whether two globs meet is not worth a theory: names that nobody above may sign are told.
  const beyond = terms.feeds
    .filter((feed) => !/[*?]/.test(feed))
    .find((feed) => {
      return !deep.some(({ scopes }) => scopes.every((globs) => matchesFeed(feed, globs)));
    });
  if (beyond !== undefined) throw refuse("untrusted_signer", `it may not sign feed "${beyond}" itself`);
  const warnings: string[] = [];
  const depth = Math.max(...deep.map((grant) => grant.depth)) - 1;
  if (terms.depth > depth) warnings.push(`clients count its depth as ${depth}: ${fingerprint} has no more to give`);
  const ends = Math.max(...deep.map((grant) => grant.expiresAt));
  if (ends < expiresAt) warnings.push(`it ends sooner, on ${iso(ends)}, unless what stands above it is renewed`);
  return warnings;
}

/** The date of the issuer's last word about a delegate: the next one has to be newer. */
function lastWordAt({ userIds }: CertificateFacts, issuer: Fingerprint): Instant {
  const words = userIds.flatMap(({ certifications }) => certifications.filter(isDelegation));
  return Math.max(0, ...words.filter(({ key }) => key === issuer).map(({ createdAt }) => createdAt ?? 0));
}

/** When the delegation is to date from. @throws FeedkeyError `not_yet_valid`: the clock is wrong now, or was then */
function dateOf(facts: CertificateFacts, issuer: Fingerprint, at: Instant): Instant {
  const now = Math.max(Math.floor(at / 1000) * 1000, facts.primary.createdAt);
  const last = lastWordAt(facts, issuer);
  if (last < now) return now;
  // Of two in one second each would narrow the other.
  if (last - now < 60_000) return last + 1000;
  throw new FeedkeyError("not_yet_valid", `${issuer} has delegated to it on ${iso(last)} already, which is to come`, {
    details: { issuer, madeAt: iso(last) },
    hint: "only the newest delegation counts: set this machine's clock right, or wait until then",
  });
}

async function requested(store: KeyStore, request: Request): Promise<RawCertificate> {
  if (typeof request !== "string") return readRequest(request);
  return (await ownCertificate(store, await store.resolve(request))).raw;
}

/**
 * Certifies a delegate, for the first time or anew. The certificate goes into the key store (and so into the bundle) and
 * back to its owner, with the whole path.
 * @throws FeedkeyError `bad_certificate`, `usage`, `revoked`, `expired`, `untrusted_signer`...
 */
export async function delegate(store: KeyStore, request: Request, options: DelegateOptions): Promise<Delegated> {
  const { at } = options;
  const { text, terms } = termsFor(options);
  const raw = await requested(store, request);
  const issuer = await openSigningKey(store, options.key, options.passphrase);
  refuseIssuer(issuer, at);
  const own = await ownCertificates(store);
  const known = await knownOf(raw, own);
  const userId = chooseUserId(known.facts, issuer, own, at);
  const date = dateOf(known.facts, issuer.raw.fingerprint, at);
  const expiresAt = date + options.expires;
  const warnings = limitsOf(own, issuer, terms, expiresAt, at);
  const certificate = await certify(issuer.secret, known.raw, userId.text, {
    type: 0x10,
    at: date,
    expiresAt,
    notations: [{ name: `delegate@${notationDomain(issuer)}`, value: text }],
    ...(terms.depth === 0 ? {} : { trust: trustOf(terms.depth) }),
  });
  await amendStored(store, certificate);
  const certificates = await pathOf(store, raw.fingerprint);
  return { delegate: raw.fingerprint, certificates, userId: userId.text, terms: text, expiresAt, warnings };
}

async function pathOf(store: KeyStore, fingerprint: Fingerprint): Promise<RawCertificate[]> {
  return withPath(await ownCertificates(store), fingerprint).map(({ raw }) => raw);
}

/**
 * Takes a delegation back (0x30 over every user ID that it stands on).
 * @returns the delegate's certificate and its path, as `delegate` does, and who else still delegates to it
 * @throws FeedkeyError `not_found` if that key never delegated to it
 */
export async function withdraw(
  store: KeyStore,
  request: Request,
  options: Pick<DelegateOptions, "key" | "at" | "passphrase">,
): Promise<Pick<Delegated, "delegate" | "certificates" | "warnings">> {
  const asked = await requested(store, request);
  const issuer = await openSigningKey(store, options.key, options.passphrase);
  const { raw, facts } = await knownOf(asked, await ownCertificates(store));
  const name = raw.fingerprint;
  const by = issuer.raw.fingerprint;
  const given = facts.userIds.filter(({ certifications }) => certifications.some(({ key }) => key === by));
  if (given.length === 0) {
    throw new FeedkeyError("not_found", `${by} never delegated to ${name}`, {
      details: { issuer: by, delegate: name },
      hint: "give the certificate that it was delegated by: feedkey delegate FILE --withdraw",
    });
  }
  const at = Math.floor(options.at / 1000) * 1000;
  let certificate = raw;
  for (const { text } of given) {
    const content = { type: 0x30, at, reason: { code: 0, text: "delegation withdrawn" } };
    certificate = await certify(issuer.secret, certificate, text, content);
  }
  await amendStored(store, certificate);
  const still = standingOf(await ownCertificates(store), name, undefined, options.at)?.delegate?.grants ?? [];
  const others = [...new Set(still.map(({ via }) => via.at(-1)))].join(", ");
  const warnings = still.length === 0 ? [] : [`${name} is still a delegate of ${others}, who must withdraw it too`];
  return { delegate: name, certificates: await pathOf(store, name), warnings };
}
