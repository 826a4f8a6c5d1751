/** Dates of the ledger: what a run that is behind them must not undo, and when keys were known to end (T5, T7). */
import { largest } from "../extremes.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import type { KeyRecord, LedgerFile } from "../store/ledger.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { endOfLife } from "../trust/key-state.ts";
import { readAll } from "./read-certificates.ts";

/** T7: when certificates end, as they say themselves. */
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

/** The latest date in the ledger: of an accepted index or key, or of a check. */
export function latestDate({ feeds, keys, checks }: LedgerFile): Instant {
  return largest([
    ...[...feeds.values()].map(({ createdAt }) => createdAt),
    ...[...keys.values()].map(({ acceptedAt }) => acceptedAt),
    ...[...checks.values()].map(({ lastGoodAt }) => lastGoodAt),
  ]);
}

/** Ends kept of one key: its keepers let it lapse once or twice, a thief as often as he likes. */
const maxEnds = 16;

/**
 * T7: the recorded ends of a key. One that has passed stays; one that has not is replaced by the latest news.
 * @param end the present one, as the judgement takes it
 * @param isSucceeded whether another key lives: without one the end decides nothing, and a refusal changes nothing
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
