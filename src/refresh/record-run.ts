/** Records what a run of the client learned (T4, T5, T11). */
import { writeCertificate } from "../openpgp/certificate/certificate.ts";
import type { BundleCopy } from "../store/bundle-copies.ts";
import type { ClientState } from "../store/client-state.ts";
import type { Ledger } from "../store/ledger.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";
import { endOfLife, refuseLife } from "../trust/key-state.ts";
import { skew } from "../trust/policy.ts";
import type { Judged, Knowledge } from "./certificate-pool.ts";
import { endsOf, latestDate } from "./ledger-dates.ts";

/** The parts of a run that `recordRun` needs. */
interface Run {
  readonly options: { readonly at: Instant; readonly reporter: { warn(text: string): void } };
  readonly knowledge: Knowledge;
  /** The keys of the chain that this client accepted before. */
  readonly accepted: ReadonlySet<Fingerprint>;
  readonly answered: ReadonlyMap<Fingerprint, "found" | "absent">;
  readonly bundles: readonly BundleCopy[];
  /** Whether the ledger has a key at the reference time, without keys that were accepted later. */
  knows(key: Fingerprint): boolean;
}

/**
 * Whether a key that was accepted before must leave the ledger. A missing check or a fork says nothing about the key itself, so the key
 * stays.
 */
export function isDropped(key: Fingerprint, { trusted, rejected }: TrustSet): boolean {
  const code = rejected.get(key)?.code;
  return !trusted.has(key) && code !== "unchecked_revocation" && code !== "fork";
}

/** Returns the date of the last check. If another run recorded a later check, this date stays, unless it is in the future (T11). */
function latest(at: Instant, recorded: Instant | undefined): Instant {
  return recorded !== undefined && recorded <= at + skew ? Math.max(at, recorded) : at;
}

/**
 * Records what a run learned: first revocations and certificates, because records of these are only ever added; then the accepted keys with
 * their predecessors, the dropped keys, and the checks. Nothing changes for delegates that were not read.
 */
export async function recordRun(run: Run, state: ClientState, judged: Judged): Promise<void> {
  const { knowledge, answered, options } = run;
  const { trust, resting } = judged;
  const isLive = (facts: CertificateFacts) => refuseLife(facts, options.at) === undefined;
  await state.putRevocations(await knowledge.revocationsWorthKeeping());
  const kept = await knowledge.worthKeeping(trust, run.accepted);
  await state.putCertificates(new Map([...kept].map(([key, raw]) => [key, writeCertificate(raw)])));
  const before: Ledger = state.ledger;
  const keys = new Map(before.keys);
  const isBehind = latestDate(state.ledger) > options.at + skew;
  const isBehindIndex = [...state.ledger.feeds.values()].some(({ createdAt }) => createdAt > options.at + skew);
  const hasLive = [...trust.trusted.values()].some(({ facts, role }) => role !== "delegate" && isLive(facts));
  for (const [fingerprint, key] of trust.trusted) {
    const known = keys.get(fingerprint);
    // If a delegate has become a key of the chain, or the reverse, the ledger records the key as newly accepted (T5).
    const isSame = known !== undefined && (known.role === "delegate") === (key.role === "delegate");
    const isKnown = isSame && run.knows(fingerprint);
    // The ledger has a later date: the clock is wrong, or the run is about the past. Then no new key is recorded. A key that was accepted
    // while the clock was ahead gets a new date, unless the clock is now behind an accepted index (T9).
    if (isBehind && (!isSame || isKnown || isBehindIndex)) continue;
    const { at } = options;
    const { acceptedAt, role, from } = isKnown ? known : { acceptedAt: at, role: key.role, from: key.via.at(-1) };
    const wasLive = isBehind ? known?.wasLive === true : (isKnown && known.wasLive) || isLive(key.facts);
    const { end, passed } =
      isBehind && known !== undefined ? known : endsOf(known, endOfLife(key.facts, at), at, hasLive);
    keys.set(fingerprint, { acceptedAt, role, from, wasLive, end, passed });
  }
  for (const fingerprint of isBehind ? [] : before.keys.keys()) {
    if (resting.has(fingerprint) || !isDropped(fingerprint, trust)) continue;
    // If the clock was set back, or in an audit of the past, keys that were accepted later must not be dropped.
    if (!run.knows(fingerprint)) continue;
    keys.delete(fingerprint);
    const why = trust.rejected.get(fingerprint)?.reason ?? "no seed of the profile leads to it any more";
    options.reporter.warn(`key ${fingerprint} is dropped, although it was accepted before: ${why}`);
  }
  const checks = new Map(before.checks);
  for (const [fingerprint, outcome] of answered) {
    const recorded = before.checks.get(fingerprint);
    const everFound = outcome === "found" || recorded?.everFound === true;
    checks.set(fingerprint, { lastGoodAt: latest(options.at, recorded?.lastGoodAt), outcome, everFound });
  }
  await state.saveLedger({ keys, checks });
  await state.keepBundles(run.bundles);
}
