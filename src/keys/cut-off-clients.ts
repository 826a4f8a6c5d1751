/**
 * Finds the clients that a step cuts off from the archive's keys. For each key of the archive, the comparison takes clients
 * whose seed is this key, and compares the keys that they accept before the step and after the step.
 */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { factsOf } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { judgeAfresh } from "../signing/delegate-check.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";

/** A generation of clients: all clients whose only seed is `seed`. */
export interface Generation {
  readonly seed: Fingerprint;
  readonly userId: string;
  /** The keys whose signatures this generation accepts before the step. */
  readonly before: readonly Fingerprint[];
  /** The keys whose signatures this generation accepts after the step. */
  readonly after: readonly Fingerprint[];
  /** Whether this generation accepts at least one key before the step, and no key after the step. */
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
 * Compares the keys that new clients of each generation accept before a step and after the step.
 * @param before the certificates before the step
 * @param after the certificates after the step
 * @param seeds the keys that may be the seed of a client
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

/** Returns one line of text for each generation. */
export function describeGenerations(generations: readonly Generation[]): string[] {
  return generations.map(({ seed, before, after, orphaned }) => {
    if (orphaned) return `clients seeded with ${seed} LOSE THEIR CHAIN: they accept no key any more`;
    const lost = before.filter((key) => !after.includes(key));
    if (lost.length > 0)
      return `clients seeded with ${seed} no longer accept ${lost.join(", ")}; they accept ${after.join(", ")}`;
    if (after.length === 0) return `clients seeded with ${seed} accept no key, as before`;
    return `clients seeded with ${seed} accept ${after.join(", ")}`;
  });
}
