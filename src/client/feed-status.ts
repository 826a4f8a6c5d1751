/** Part of `status` for one feed: the age of its index, its signers, and the reasons why the next index will be refused. */
import { readFile } from "node:fs/promises";
import { FeedkeyError, orRefusal } from "../error.ts";
import { largest } from "../extremes.ts";
import { isFramed, unframe } from "../formats/cleartext.ts";
import { formatOf } from "../formats/formats.ts";
import { readSignatureFile } from "../openpgp/check/detached.ts";
import type { Session } from "../refresh/session.ts";
import { type Instant, iso, roughly } from "../time.ts";
import { type End, isNear, outlookOf } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";

export interface FeedStatus {
  readonly name: string;
  readonly signedAt: string | null;
  readonly expiresAt: string | null;
  readonly entries: number | null;
  readonly signers: readonly string[];
  /**
   * When too few of these signers may still sign the feed, if no key or delegation is renewed; null if never, or if too few may
   * sign already.
   */
  readonly breaksAt: string | null;
  /** What expires at `breaksAt`, in words. */
  readonly breaksBecause: string | null;
}

/** A feed's status with its warnings. */
interface ToldFeed {
  readonly status: FeedStatus;
  readonly warnings: readonly string[];
}

/** Returns the latest expiry of a stored index's signatures; null if one of the signatures never expires. */
async function signatureEnd(path: string): Promise<Instant | null> {
  const bytes = await readFile(path);
  // If a root contained its own signatures, the client stored the whole file as its signature.
  const signatures = isFramed(bytes) ? unframe(bytes, "signature").signatures : bytes;
  const ends = readSignatureFile(signatures, "signature").map((one) => {
    if (!("raw" in one)) return 0;
    const { createdAt, signatureLifetime } = one.raw.hashed;
    return createdAt === undefined || signatureLifetime === undefined ? null : createdAt + signatureLifetime * 1000;
  });
  return ends.includes(null) ? null : largest(ends.map((end) => end ?? 0));
}

/**
 * Returns until when a stored index says that it is valid; undefined if the index does not say this, or is not in the present
 * format.
 */
async function validUntilOf({ profile }: Session, name: string, path: string): Promise<Instant | undefined> {
  const feed = profile.feeds.find((one) => one.name === name);
  const validity = feed && formatOf(feed.format).signing?.validity;
  const found = validity && (await orRefusal(async () => validity(await readFile(path))));
  return found instanceof FeedkeyError ? undefined : found?.until;
}

function endWords({ key, step, algorithm }: End): string {
  if (algorithm !== undefined) return `the key ${key} is refused for its algorithm, ${algorithm}`;
  return step === undefined ? `the key ${key} expires` : `the delegation of ${step.subject} by ${step.issuer} ends`;
}

interface Signer {
  readonly certificate: Fingerprint;
  readonly signingKey: Fingerprint;
}

/** Returns the expiry of the signers that may sign the feed now, the latest first. */
function endsOf(feed: string, signers: readonly Signer[], trust: TrustSet): End[] {
  const ends = signers.flatMap(({ certificate, signingKey }) => {
    const trusted = trust.trusted.get(certificate);
    return (trusted && outlookOf(trusted, trust, feed, signingKey)) ?? [];
  });
  return ends.sort((a, b) => b.until - a.until);
}

/**
 * Warns about the feed's signers. If a key in the chain expires, another can sign instead; a delegate's feeds have no other
 * signer.
 */
function warnOfSigners(
  feed: string,
  signers: readonly Signer[],
  breaking: End | undefined,
  { trusted, rejected, at }: TrustSet,
): string[] {
  if (breaking === undefined) {
    return signers.flatMap(({ certificate }) => {
      const why = rejected.get(certificate)?.reason;
      return why === undefined
        ? []
        : [`feed "${feed}": ${certificate}, which signed the last accepted index, may no longer sign: ${why}`];
    });
  }
  const onPath = signers.some(({ certificate }) => trusted.get(certificate)?.role === "delegate");
  if (!onPath || !isNear(breaking, at)) return [];
  return [
    `feed "${feed}": in ${roughly(breaking.until - at)}, on ${iso(breaking.until)}, ${endWords(breaking)}; unless the archive's keepers renew it, the feed's next index will be refused`,
  ];
}

function warnOfIndex(
  { name, signedAt, expiresAt }: FeedStatus,
  validUntil: Instant | undefined,
  at: Instant,
): string[] {
  if (signedAt === null) return [`feed "${name}" was never updated`];
  if (validUntil !== undefined && validUntil < at)
    return [
      `feed "${name}": its index was valid until ${iso(validUntil)}, as the index itself says; run feedkey update`,
    ];
  if (expiresAt === null)
    return [`feed "${name}": its signature never expires; an old index could be replayed to new clients`];
  const left = Date.parse(expiresAt) - at;
  if (left <= 0) return [`feed "${name}": its signature expired on ${expiresAt}; run feedkey update`];
  return [];
}

const nothing = { signedAt: null, expiresAt: null, entries: null, signers: [], breaksAt: null, breaksBecause: null };

/** Returns the status of a feed from the client's state, and the feed's future from the keys. */
export async function feedStatus(session: Session, name: string, trust: TrustSet): Promise<ToldFeed> {
  const last = await session.state.lastAccepted(name);
  const { at } = trust;
  if (last === undefined)
    return { status: { name, ...nothing }, warnings: warnOfIndex({ name, ...nothing }, undefined, at) };
  const { createdAt, entries, signers } = last.meta;
  const end = await signatureEnd(last.signaturePath);
  // The feed breaks when fewer signers than the threshold are left, even before the last signer expires.
  const breaking = endsOf(name, signers, trust)[session.profile.trust.threshold - 1];
  const endless = breaking === undefined || breaking.until === Number.POSITIVE_INFINITY;
  const status = {
    name,
    signedAt: iso(createdAt),
    expiresAt: end === null ? null : iso(end),
    entries,
    signers: [...new Set(signers.map(({ certificate }) => certificate))],
    breaksAt: endless ? null : iso(breaking.until),
    breaksBecause: endless ? null : endWords(breaking),
  };
  return {
    status,
    warnings: [
      ...warnOfIndex(status, await validUntilOf(session, name, last.indexPath), at),
      ...warnOfSigners(name, signers, breaking, trust),
    ],
  };
}
