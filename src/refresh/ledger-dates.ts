/** Dates in the ledger: the latest date, for runs whose clock is behind it, and the known expiry dates of keys (T5, T7). */
import { largest } from "../extremes.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import type { KeyRecord, LedgerFile } from "../store/ledger.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { endOfLife } from "../trust/key-state.ts";
import { readAll } from "./read-certificates.ts";

/** T7: returns when each certificate expires according to its own self-signatures. */
export async function endsIn(
  certificates: Iterable<RawCertificate>,
  at: Instant,
): Promise<ReadonlyMap<Fingerprint, readonly Instant[]>> {
  const found = new Map<Fingerprint, readonly Instant[]>();
  for (const facts of (await readAll(mapOf(certificates))).facts) {
    const end = endOfLife(facts, at);
    if (end !== undefined) found.set(facts.primary.fingerprint, [end]);
  }
  return found;
}

function mapOf(certificates: Iterable<RawCertificate>): Map<Fingerprint, RawCertificate> {
  return new Map([...certificates].map((certificate) => [certificate.fingerprint, certificate]));
}

/** Returns the latest date in the ledger: the date of an accepted index, an accepted key, or a revocation check. */
export function latestDate({ feeds, keys, checks }: LedgerFile): Instant {
  return largest([
    ...[...feeds.values()].map(({ createdAt }) => createdAt),
    ...[...keys.values()].map(({ acceptedAt }) => acceptedAt),
    ...[...checks.values()].map(({ lastGoodAt }) => lastGoodAt),
  ]);
}

/**
 * The number of expiry dates that the ledger keeps for one key. Keepers let a key expire once or twice, but a thief could add any number of
 * dates.
 */
const maxEnds = 16;

/**
 * T7: returns the expiry dates to record for a key. Recorded dates that have passed stay; a recorded date that has not passed is replaced.
 * @param end the present expiry date, as the judgement used it
 * @param isSucceeded whether a live key exists; without a live key, a late extension takes effect, and the passed date is not recorded
 */
export function endsOf(
  known: Pick<KeyRecord, "end" | "passed"> | undefined,
  end: Instant | undefined,
  at: Instant,
  isSucceeded: boolean,
): Pick<KeyRecord, "end" | "passed"> {
  const before = known?.passed ?? [];
  const last = known?.end;
  const isNew = last !== undefined && last <= at && !before.includes(last) && (isSucceeded || last !== end);
  const passed = isNew ? [...before, last].sort((a, b) => a - b) : before;
  return { end, passed: passed.length <= maxEnds ? passed : [...passed.slice(0, maxEnds - 1), ...passed.slice(-1)] };
}
