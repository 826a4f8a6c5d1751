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

/** The parts of a run that are needed here. */
interface Run {
  readonly options: { readonly at: Instant; readonly reporter: { warn(text: string): void } };
  readonly knowledge: Knowledge;
  /** Keys of the chain that were accepted before. */
  readonly accepted: ReadonlySet<Fingerprint>;
  readonly answered: ReadonlyMap<Fingerprint, "found" | "absent">;
  readonly bundles: readonly BundleCopy[];
  /** Whether the ledger has a key at the reference time. */
  knows(key: Fingerprint): boolean;
}

/**
 * Whether a key that was accepted before is no longer accepted. A missing check or a fork says nothing about the key itself;
 * then the key stays in the ledger.
 */
export function isDropped(key: Fingerprint, { trusted, rejected }: TrustSet): boolean {
  const code = rejected.get(key)?.code;
  return !trusted.has(key) && code !== "unchecked_revocation" && code !== "fork";
}

/**
 * Returns the date of the last check: a later check by another run stays, but a check dated in the future does not
 * count (T11).
 */
function latest(at: Instant, recorded: Instant | undefined): Instant {
  return recorded !== undefined && recorded <= at + skew ? Math.max(at, recorded) : at;
}

/**
 * Records what a run learned: first revocations and certificates, because these are only ever added; then the accepted keys
 * with their predecessors, the dropped keys, and the checks. Nothing changes for delegates that were not read.
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
    // If a delegate became a key of the chain, or a key of the chain became a delegate, it is recorded as new (T5).
    const isSame = known !== undefined && (known.role === "delegate") === (key.role === "delegate");
    const isKnown = isSame && run.knows(fingerprint);
    // The clock is wrong, or the run is about the past: no new key is recorded. A key that was accepted while the clock was
    // ahead gets a new date, unless the clock is now behind an accepted index (T9).
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
    // If the clock was set back, or in an audit of the past, today's keys are in the future; these keys must not be
    // dropped.
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
