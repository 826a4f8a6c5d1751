/** Use case: let somebody else's key sign some feeds for a time (design, section 7). Works on files alone. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { certify } from "../openpgp/amend.ts";
import type { RawCertificate } from "../openpgp/certificate.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { collect } from "../openpgp/merge.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Duration, Instant } from "../time.ts";
import { formatTerms, parseTerms, trustOf } from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint, UserIdFacts } from "../trust/facts.ts";
import { addressOf, isOwned, matchesIdentity } from "../trust/identity.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { amendStored, ownCertificate } from "./archive.ts";
import {
  notationDomain,
  openSigningKey,
  ownCertificates,
  type PassphraseSource,
  type SigningKey,
} from "./signing-key.ts";

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
  readonly certificate: RawCertificate;
  readonly delegate: Fingerprint;
  readonly userId: string;
  readonly terms: string;
  readonly expiresAt: Instant;
}

/** The one certificate of a request. @throws FeedkeyError `bad_certificate` */
async function readRequest(bytes: Uint8Array): Promise<{ raw: RawCertificate; facts: CertificateFacts }> {
  const { certificates, secretKeys } = readKeys(bytes);
  const [raw, ...others] = [...collect(certificates).values()];
  if (secretKeys > 0) {
    throw new FeedkeyError("bad_certificate", "the request holds a secret key", {
      hint: "ask for the certificate alone (feedkey key export), and have that key replaced: it has been shown around",
    });
  }
  if (raw === undefined || others.length > 0) {
    throw new FeedkeyError("bad_certificate", `expected one certificate, found ${certificates.length}`, {
      hint: "give the output of feedkey key export FINGERPRINT of the machine that is to sign",
    });
  }
  const keys = await KeyIndex.of([raw]);
  const [loaded] = keys.certificates;
  if (loaded === undefined)
    throw new FeedkeyError("bad_certificate", "the certificate is of a kind that can't be used");
  return { raw, facts: await readFacts(loaded, keys) };
}

/** The user ID that the delegation stands on: the delegate's own, never the archive's. */
function choose(facts: CertificateFacts, issuer: SigningKey, at: Instant): UserIdFacts {
  const refused = refusePrimary(facts, at);
  const { fingerprint } = facts.primary;
  if (refused !== undefined) {
    throw new FeedkeyError(refused.code, `can't delegate to ${fingerprint}: ${refused.reason}`, {
      details: { fingerprint },
    });
  }
  for (const { text } of issuer.facts.userIds) {
    const identity = { kind: "user-id", userId: text } as const;
    if (!facts.userIds.some(({ bytes }) => matchesIdentity(bytes, identity))) continue;
    throw new FeedkeyError(
      "bad_certificate",
      `${fingerprint} carries the archive's own user ID "${escapeText(text)}"`,
      {
        details: { fingerprint },
        hint: "a delegate needs a name of its own: make its key with another --user-id",
      },
    );
  }
  const own = facts.userIds.find((userId) => addressOf(userId.bytes) !== undefined && isOwned(userId, facts, at));
  if (own !== undefined) return own;
  throw new FeedkeyError("bad_certificate", `${fingerprint} has no self-certified user ID with an address`, {
    details: { fingerprint },
  });
}

/**
 * Certifies a delegate. The certificate goes into the key store (and so into the bundle) and back to its owner.
 * @param request the delegate's certificate, armored or binary
 * @throws FeedkeyError `bad_certificate`, `usage`, `revoked`, `expired`...
 */
export async function delegate(store: KeyStore, request: Uint8Array, options: DelegateOptions): Promise<Delegated> {
  const { feeds, depth, at } = options;
  const terms = formatTerms({ depth, feeds });
  if (parseTerms(terms) === undefined) {
    throw new FeedkeyError("usage", `these terms can't be: ${escapeText(terms)}`, {
      hint: "feeds are names or globs with commas, without spaces; the depth is 0 to 8",
    });
  }
  const { raw, facts } = await readRequest(request);
  const issuer = await openSigningKey(store, options.key, options.passphrase);
  const refused = refusePrimary(issuer.facts, at);
  if (refused !== undefined)
    throw new FeedkeyError(refused.code, `${issuer.raw.fingerprint} can't delegate: ${refused.reason}`);
  const userId = choose(facts, issuer, at);
  const date = Math.max(Math.floor(at / 1000) * 1000, facts.primary.createdAt);
  const expiresAt = date + options.expires;
  const certificate = await certify(issuer.secret, raw, userId.text, {
    type: 0x10,
    at: date,
    expiresAt,
    notations: [{ name: `delegate@${notationDomain(issuer)}`, value: terms }],
    ...(depth === 0 ? {} : { trust: trustOf(depth) }),
  });
  await amendStored(store, certificate);
  const stored = await ownCertificate(store, raw.fingerprint);
  return { certificate: stored.raw, delegate: raw.fingerprint, userId: userId.text, terms, expiresAt };
}

/**
 * Takes a delegation back (0x30 over every user ID that it stands on).
 * @throws FeedkeyError `not_found` if that key never delegated to it
 */
export async function withdraw(
  store: KeyStore,
  fingerprint: string,
  options: Pick<DelegateOptions, "key" | "at" | "passphrase">,
): Promise<RawCertificate> {
  const name = await store.resolve(fingerprint);
  const issuer = await openSigningKey(store, options.key, options.passphrase);
  const { raw, facts } = (await ownCertificates(store)).get(name) ?? (await ownCertificate(store, name));
  const by = issuer.raw.fingerprint;
  const given = facts.userIds.filter(({ certifications }) => certifications.some(({ key }) => key === by));
  if (given.length === 0) {
    throw new FeedkeyError("not_found", `${by} never delegated to ${name}`, {
      details: { issuer: by, delegate: name },
    });
  }
  const at = Math.floor(options.at / 1000) * 1000;
  let certificate = raw;
  for (const { text } of given) {
    const content = { type: 0x30, at, reason: { code: 0, text: "delegation withdrawn" } };
    certificate = await certify(issuer.secret, certificate, text, content);
  }
  await amendStored(store, certificate);
  return (await ownCertificate(store, name)).raw;
}
