/**
 * T7: an extension that comes too late. The thief of an expired key can make it live again by a new self-signature, so one that is
 * dated, or first heard of, after the old end does not count where a live successor is known.
 */
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint, SelfSignature } from "./facts.ts";
import { primaryState } from "./key-state.ts";
import { refuseSignature, refuseWeakHash } from "./policy.ts";

/** What one list of self-signatures says of the end as time goes on: its newest date, and the soonest end of that date. */
interface Said {
  date: Instant;
  end: Instant;
}

/**
 * The end that the key had reached before it was extended by a later self-signature.
 * @returns undefined if each extension was made in time
 */
function endBeforeLateDate(facts: CertificateFacts, at: Instant): Instant | undefined {
  const { primary, directSignatures, userIds } = facts;
  const said: Said[] = [];
  const dated = (signatures: readonly SelfSignature[], place: number) => {
    return signatures
      .map((signature) => ({ signature, place, date: signature.createdAt ?? 0 }))
      .filter(({ signature }) => {
        // Its own expiry is left aside: it takes nothing back that it said of the end.
        const lasting = { ...signature, expiresAt: undefined };
        return refuseSignature(lasting, primary.createdAt, at) === undefined && refuseWeakHash(signature) === undefined;
      });
  };
  const overUserIds = userIds.flatMap(({ selfSignatures }) => selfSignatures);
  const all = [...dated(directSignatures, 0), ...dated(overUserIds, 1)].sort((a, b) => a.date - b.date);
  for (const { signature, place, date } of all) {
    const ends = said.map(({ date: of, end }) => (of < date ? end : Number.POSITIVE_INFINITY));
    const end = ends.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    if (end <= date) return end;
    const own = signature.keyExpiresAt ?? Number.POSITIVE_INFINITY;
    const known = said[place];
    if (known === undefined || known.date < date) said[place] = { date, end: own };
    else known.end = Math.min(known.end, own);
  }
  return undefined;
}

/**
 * The end of a key that has been extended since it passed; undefined if there is no such extension.
 * @param heardEnd the end that this client knew before it passed (its ledger)
 */
function endBeforeExtension(facts: CertificateFacts, heardEnd: Instant | undefined, at: Instant): Instant | undefined {
  const byDate = endBeforeLateDate(facts, at);
  const state = primaryState(facts, at);
  const now = "code" in state ? undefined : (state.expiresAt ?? Number.POSITIVE_INFINITY);
  const isNews = heardEnd !== undefined && heardEnd <= at && now !== undefined && now > heardEnd;
  if (!isNews) return byDate;
  return byDate === undefined ? heardEnd : Math.min(byDate, heardEnd);
}

/**
 * The certificates with the late extensions taken back.
 * @param ends what the ledger knows of keys whose end has passed
 * @returns those that change, as they are without it
 */
export function withoutLateExtensions(
  certificates: readonly CertificateFacts[],
  ends: ReadonlyMap<Fingerprint, Instant>,
  at: Instant,
): Map<Fingerprint, CertificateFacts> {
  const found = new Map<Fingerprint, CertificateFacts>();
  for (const facts of certificates) {
    const { fingerprint } = facts.primary;
    const endedAt = endBeforeExtension(facts, ends.get(fingerprint), at);
    if (endedAt !== undefined) found.set(fingerprint, { ...facts, endedAt });
  }
  return found;
}
