/**
 * T7: late extensions. A thief of an expired key can make the key live again with a new self-signature. So feedkey ignores an extension
 * that is dated after the old expiry, or that the client first saw after the old expiry, if the key had certified a successor before the
 * old expiry and this successor is live.
 */
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint, SelfSignature } from "./facts.ts";
import { endOfLife, refuseLife, wasUsable } from "./key-state.ts";

/**
 * What the direct-key signatures, or the self-signatures over user IDs, say about the expiry: their newest date, and the earliest expiry in
 * the signatures with this date.
 */
interface Said {
  date: Instant;
  end: Instant;
}

/** Returns the expiry dates that had already passed when a later self-signature moved them. */
function endsBeforeLateDates({ primary, directSignatures, userIds }: CertificateFacts, at: Instant): Instant[] {
  const dated = (signatures: readonly SelfSignature[], place: number) => {
    return signatures
      .filter((signature) => wasUsable(signature, primary, at))
      .map((signature) => ({ signature, place, date: signature.createdAt ?? 0 }));
  };
  const overUserIds = userIds.flatMap(({ selfSignatures }) => selfSignatures);
  const all = [...dated(directSignatures, 0), ...dated(overUserIds, 1)].sort((a, b) => a.date - b.date);
  const said: (Said | undefined)[] = [undefined, undefined];
  const found: Instant[] = [];
  for (const { signature, place, date } of all) {
    const ends = said.map((one) => (one !== undefined && one.date < date ? one.end : Number.POSITIVE_INFINITY));
    const end = Math.min(ends[0] ?? Number.POSITIVE_INFINITY, ends[1] ?? Number.POSITIVE_INFINITY);
    if (end <= date) found.push(end);
    const own = signature.keyExpiresAt ?? Number.POSITIVE_INFINITY;
    const known = said[place];
    if (known === undefined || known.date < date) said[place] = { date, end: own };
    else known.end = Math.min(known.end, own);
  }
  return found;
}

/**
 * Returns the former expiry dates of a key, the earliest first: those that had already passed when somebody extended the key.
 * @param heard expiry dates in the client's ledger, which the client knew before they passed
 */
function movedEnds(facts: CertificateFacts, heard: readonly Instant[], at: Instant): Instant[] {
  const end = endOfLife(facts, at) ?? Number.POSITIVE_INFINITY;
  const passed = [...endsBeforeLateDates(facts, at), ...heard].filter((one) => one <= at && one < end);
  return [...new Set(passed)].sort((a, b) => a - b);
}

/**
 * The number of keys with late extensions that feedkey examines. Only a thief would extend more keys late, so all further keys stay
 * expired.
 */
const maxLate = 200;

/** Whether a key certified, before a date, a successor that is live or leads to a live key. */
export type IsSucceeded = (key: Fingerprint, before: Instant, isLive: (key: Fingerprint) => boolean) => boolean;

/**
 * Returns the certificates; a key whose late extension has no effect is marked as expired since its old expiry. Each extension of a key is
 * judged separately, the earliest first, because the keepers may have extended the key before a thief did. A successor also counts as live
 * if only its own late extension makes it live. So keepers can extend the last key of an archive after the key has expired, but a thief
 * can't extend an earlier key.
 */
export function withoutLateExtensions(
  certificates: readonly CertificateFacts[],
  ends: ReadonlyMap<Fingerprint, readonly Instant[]>,
  at: Instant,
  makeIsSucceeded: () => IsSucceeded,
): readonly CertificateFacts[] {
  const late = new Map<Fingerprint, readonly Instant[]>();
  for (const facts of certificates) {
    const { fingerprint } = facts.primary;
    const moved = movedEnds(facts, ends.get(fingerprint) ?? [], at);
    if (moved.length > 0) late.set(fingerprint, moved);
  }
  if (late.size === 0) return certificates;
  // A key that is live only through its own late extension counts as a live successor too.
  const live = new Set(
    certificates
      .filter((facts) => refuseLife(facts, at) === undefined)
      .map(({ primary: { fingerprint } }) => fingerprint),
  );
  const isSucceeded = makeIsSucceeded();
  const endedAt = new Map<Fingerprint, Instant>();
  let looked = 0;
  for (const [key, moved] of late) {
    looked += 1;
    const end = looked > maxLate ? moved[0] : moved.find((one) => isSucceeded(key, one, (other) => live.has(other)));
    if (end !== undefined) endedAt.set(key, end);
  }
  return certificates.map((facts) => {
    const end = endedAt.get(facts.primary.fingerprint);
    return end === undefined ? facts : { ...facts, endedAt: end };
  });
}
