/**
 * The second judge, part one: what a key says about itself at a reference time. Written from
 * docs/trust-rules.md, without a look at `src/trust`: it shares its types and nothing else.
 */
import type { Instant } from "../../src/time.ts";
import type { CertificateFacts, KeyFacts, SelfSignature, SignatureFacts, UserIdFacts } from "../../src/trust/facts.ts";

/** Dates up to this much after the reference time count as not in the future: 5 minutes. */
export const skew = 5 * 60_000;

/** T3e. */
export function hasStrongHash(signature: SignatureFacts): boolean {
  return ["sha256", "sha384", "sha512", "sha3-256", "sha3-512"].includes(signature.hash);
}

/** T3e. */
export function isStrongKey(key: KeyFacts): boolean {
  if (key.algorithm === "rsa") return key.bits >= 2048;
  return ["ecdsa", "eddsaLegacy", "ed25519", "ed448"].includes(key.algorithm);
}

/** T14: from when on the algorithm of a key is refused; infinity: it has no date. */
export function algorithmEnds({ algorithm, bits, curve = "" }: KeyFacts): Instant {
  if (algorithm === "rsa" && bits >= 2048 && bits <= 3071) return Date.parse("2030-02-01T00:00:00Z");
  const isBrainpool = ["brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"].includes(curve);
  return algorithm === "ecdsa" && isBrainpool ? Date.parse("2028-02-01T00:00:00Z") : Number.POSITIVE_INFINITY;
}

function ends(keyExpiresAt: Instant | undefined): Instant {
  return keyExpiresAt ?? Number.POSITIVE_INFINITY;
}

/**
 * The newest self-signature that counts; of several with one date those by which the key ends soonest. More than one only where
 * date and end are the same: then each must allow what is asked for.
 */
export function effective(signatures: readonly SelfSignature[], key: KeyFacts, at: Instant): readonly SelfSignature[] {
  const counting = signatures.filter(
    (signature) =>
      signature.createdAt !== undefined &&
      signature.createdAt >= key.createdAt &&
      signature.createdAt <= at + skew &&
      (signature.expiresAt === undefined || signature.expiresAt > at) &&
      hasStrongHash(signature) &&
      signature.unknownCritical.length === 0,
  );
  const newest = Math.max(...counting.map(({ createdAt }) => createdAt ?? 0));
  const ofThatDate = counting.filter(({ createdAt }) => createdAt === newest);
  const soonest = Math.min(...ofThatDate.map(({ keyExpiresAt }) => ends(keyExpiresAt)));
  return ofThatDate.filter(({ keyExpiresAt }) => ends(keyExpiresAt) === soonest);
}

/** Direct-key signatures speak for themselves, the self-signatures of all user IDs together. */
function statements(certificate: CertificateFacts, at: Instant): readonly SelfSignature[] {
  const overUserIds = certificate.userIds.flatMap(({ selfSignatures }) => selfSignatures);
  return [
    ...effective(certificate.directSignatures, certificate.primary, at),
    ...effective(overUserIds, certificate.primary, at),
  ];
}

/** Whether the key says anything about itself that counts. */
export function speaks(certificate: CertificateFacts, at: Instant): boolean {
  return statements(certificate, at).length > 0;
}

/** T3c: when the key expires as it says itself, late extensions and all; infinity: never. */
export function saidEnd(certificate: CertificateFacts, at: Instant): Instant {
  return Math.min(...statements(certificate, at).map(({ keyExpiresAt }) => ends(keyExpiresAt)));
}

/** When the key expires; infinity: never. T7: no late extension moves an end that stays. */
export function keyEnds(certificate: CertificateFacts, at: Instant): Instant {
  return Math.min(saidEnd(certificate, at), ends(certificate.endedAt));
}

/** T3c, T6: the latest end that any of its self-signatures ever claimed, whatever others say and whether or not it has expired itself. */
export function latestClaim(certificate: CertificateFacts, at: Instant): Instant {
  const own = [...certificate.directSignatures, ...certificate.userIds.flatMap((userId) => userId.selfSignatures)];
  const alone = own.flatMap((one) => effective([{ ...one, expiresAt: undefined }], certificate.primary, at));
  return Math.max(...alone.map(({ keyExpiresAt }) => ends(keyExpiresAt)));
}

/** T3a, T6: whether it ever said of itself that it may certify, whatever it says now. */
export function everCertified(certificate: CertificateFacts, at: Instant): boolean {
  const own = [...certificate.directSignatures, ...certificate.userIds.flatMap((userId) => userId.selfSignatures)];
  const alone = own.flatMap((one) => effective([{ ...one, expiresAt: undefined }], certificate.primary, at));
  return alone.some(({ flags }) => flags === undefined || flags.certify);
}

/** T7: ends of a key that came before one of its self-signatures, as those before it say. */
export function endsByDate(certificate: CertificateFacts, at: Instant): Instant[] {
  const own = [...certificate.directSignatures, ...certificate.userIds.flatMap((userId) => userId.selfSignatures)];
  const before = (date: Instant): CertificateFacts => {
    // One that has expired itself since said what it said.
    const earlier = (list: readonly SelfSignature[]) =>
      list
        .filter(({ createdAt }) => createdAt !== undefined && createdAt < date)
        .map((signature) => ({ ...signature, expiresAt: undefined }));
    const userIds = certificate.userIds.map((userId) => ({
      ...userId,
      selfSignatures: earlier(userId.selfSignatures),
    }));
    return { ...certificate, directSignatures: earlier(certificate.directSignatures), userIds };
  };
  return own.flatMap(({ createdAt }) => {
    if (createdAt === undefined || createdAt > at + skew) return [];
    const end = saidEnd(before(createdAt), at);
    return end <= createdAt ? [end] : [];
  });
}

/** T7: ends of a key that a late extension moved, by the dates or because the ledger knew them; the earliest first. */
export function oldEnds(certificate: CertificateFacts, at: Instant, inLedger: readonly Instant[] = []): Instant[] {
  const now = saidEnd(certificate, at);
  const all = [...endsByDate(certificate, at), ...inLedger];
  return [...new Set(all)].filter((end) => end <= at && end < now).sort((a, b) => a - b);
}

/** T6: it has expired, and was neither revoked nor weak: a weak key never lived. */
export function hasOnlyExpired(certificate: CertificateFacts, at: Instant): boolean {
  const isRevoked = isHardRevoked(certificate) || softRevokedSince(certificate, at) !== undefined;
  return keyEnds(certificate, at) <= at && !isRevoked && isStrongKey(certificate.primary);
}

/** T3a: it has the certify flag, or no flags. */
export function mayCertify(certificate: CertificateFacts, at: Instant): boolean {
  const said = statements(certificate, at);
  return said.length > 0 && said.every(({ flags }) => flags === undefined || flags.certify);
}

/** T4: a hard revocation is one whatever its date. */
export function isHardRevoked(certificate: CertificateFacts): boolean {
  return certificate.revocations.some(({ kind }) => kind === "hard");
}

/** T4: the date of the earliest soft revocation that is in force; undefined: there is none. */
export function softRevokedSince(certificate: CertificateFacts, at: Instant): Instant | undefined {
  const dates = certificate.revocations
    .filter(({ kind }) => kind === "soft")
    .map(({ createdAt }) => createdAt ?? 0)
    .filter((date) => date <= at + skew);
  return dates.length === 0 ? undefined : Math.min(...dates);
}

/** T1: self-certified and not revoked. */
export function isOwned(userId: UserIdFacts, key: KeyFacts, at: Instant): boolean {
  const revoked = userId.revocations.some(({ kind, createdAt }) => kind === "hard" || (createdAt ?? 0) <= at + skew);
  return !revoked && effective(userId.selfSignatures, key, at).length > 0;
}

/** T6: unexpired and unrevoked, and fit to be a rival at all. */
export function isLive(certificate: CertificateFacts, at: Instant): boolean {
  return (
    !isHardRevoked(certificate) &&
    softRevokedSince(certificate, at) === undefined &&
    isStrongKey(certificate.primary) &&
    speaks(certificate, at) &&
    certificate.primary.createdAt <= at + skew &&
    keyEnds(certificate, at) > at
  );
}
