/**
 * Finds the clients that lose their chain in a step: for each key of the archive, compares what clients with this key as their
 * seed accept before and after the step.
 */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { factsOf } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { judgeAfresh } from "../signing/delegate-check.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";

/** A generation of clients: those whose only seed is `seed`. */
export interface Generation {
  readonly seed: Fingerprint;
  readonly userId: string;
  /** The keys whose signatures this generation accepts before the step; `after` has those after the step. */
  readonly before: readonly Fingerprint[];
  readonly after: readonly Fingerprint[];
  /** Whether this generation accepted a key with which the archive signs, and no longer accepts any such key. */
  readonly orphaned: boolean;
}

async function acceptedBy(
  certificates: Iterable<RawCertificate>,
  userId: string,
  at: Instant,
): Promise<(seed: Fingerprint) => { name: string; signers: Fingerprint[] }> {
  const keys = await KeyIndex.of(certificates);
  const facts = await factsOf(keys);
  return (seed) => {
    const { trusted, rejected } = judgeAfresh(facts, userId, [seed], at);
    const signers = [...trusted].filter(([, key]) => refusePrimary(key.facts, at) === undefined).map(([key]) => key);
    return { name: (trusted.get(seed) ?? rejected.get(seed))?.userId ?? "", signers };
  };
}

/**
 * Compares what new clients of each generation accept before and after a step.
 * @param before the certificates as they are
 * @param after the certificates as they would be after the step
 * @param seeds the keys that some client may have as its seed
 */
export async function compareGenerations(
  before: ReadonlyMap<Fingerprint, RawCertificate>,
  after: ReadonlyMap<Fingerprint, RawCertificate>,
  seeds: Iterable<Fingerprint>,
  userId: string,
  at: Instant,
): Promise<Generation[]> {
  const old = await acceptedBy(before.values(), userId, at);
  const next = await acceptedBy(after.values(), userId, at);
  return [...seeds].map((seed) => {
    const was = old(seed);
    const is = next(seed);
    return {
      seed,
      userId: was.name,
      before: was.signers,
      after: is.signers,
      orphaned: was.signers.length > 0 && is.signers.length === 0,
    };
  });
}

/** Describes each generation in one line. */
export function describeGenerations(generations: readonly Generation[]): string[] {
  return generations.map(({ seed, before, after, orphaned }) => {
    if (orphaned) return `clients seeded with ${seed} LOSE THEIR CHAIN: no key is left that they accept`;
    const lost = before.filter((key) => !after.includes(key));
    if (lost.length > 0)
      return `clients seeded with ${seed} no longer accept ${lost.join(", ")}; they go on with ${after.join(", ")}`;
    if (after.length === 0) return `clients seeded with ${seed} accept no key, as before`;
    return `clients seeded with ${seed} go on with ${after.join(", ")}`;
  });
}
