/** The part of `status` about one feed: the age of the feed's index, its signers, and why clients may refuse the next index. */
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
   * The time from which too few of these signers may sign the feed, unless somebody renews a key or delegation; null if that
   * time never comes, or if too few signers may sign now.
   */
  readonly breaksAt: string | null;
  /** The key or delegation that ends at `breaksAt`, in words. */
  readonly breaksBecause: string | null;
}

/** A feed's status, with the warnings about the feed. */
interface ToldFeed {
  readonly status: FeedStatus;
  readonly warnings: readonly string[];
}

/** Returns when the last signature in a stored signature file expires; null if one of the signatures never expires. */
async function signatureEnd(path: string): Promise<Instant | null> {
  const bytes = await readFile(path);
  // For a root that contains its own signatures, the client stored the whole file in place of a signature.
  const signatures = isFramed(bytes) ? unframe(bytes, "signature").signatures : bytes;
  const ends = readSignatureFile(signatures, "signature").map((one) => {
    if (!("raw" in one)) return 0;
    const { createdAt, signatureLifetime } = one.raw.hashed;
    return createdAt === undefined || signatureLifetime === undefined ? null : createdAt + signatureLifetime * 1000;
  });
  return ends.includes(null) ? null : largest(ends.map((end) => end ?? 0));
}

/**
 * Returns the date until which a stored index declares itself valid; undefined if the index has no such date, or if the profile
 * now gives another format for the feed.
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

/** Returns when each signer that may sign the feed now loses this permission, the latest date first. */
function endsOf(feed: string, signers: readonly Signer[], trust: TrustSet): End[] {
  const ends = signers.flatMap(({ certificate, signingKey }) => {
    const trusted = trust.trusted.get(certificate);
    return (trusted && outlookOf(trusted, trust, feed, signingKey)) ?? [];
  });
  return ends.sort((a, b) => b.until - a.until);
}

/**
 * Warns about the feed's signers. A key of the archive that expires needs no warning, because a successor can sign instead; a
 * delegate has no successor.
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

/**
 * Returns the status of a feed: what the client's state says about the last index, and what the keys say about the next one.
 */
export async function feedStatus(session: Session, name: string, trust: TrustSet): Promise<ToldFeed> {
  const last = await session.state.lastIndex(name);
  const { at } = trust;
  if (last === undefined)
    return { status: { name, ...nothing }, warnings: warnOfIndex({ name, ...nothing }, undefined, at) };
  const { createdAt, entries, signers } = last.meta;
  const end = await signatureEnd(last.signaturePath);
  // With a threshold of n, clients need n signers, so the feed breaks at the n-th latest end.
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
