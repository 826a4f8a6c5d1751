/** Delegates that need not be read: an archive may have ten thousand build machines, of which one signed. */
import { append } from "../grouped.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { designatesRevokers, revocationPart } from "../openpgp/certificate/revocation-part.ts";
import { fingerprintOf, keyIdOf } from "../openpgp/packet/key-packet.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { delegatorsOf } from "./delegators.ts";

/** Up to this many, all are read: then the ledger is immediately up to date about each. */
export const alwaysRead = 100;

interface Known {
  /** All available certificates. */
  readonly held: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The certificates of keyring and state at the start of the run; if the object has changed, there is news. */
  readonly quiet: ReadonlyMap<Fingerprint, RawCertificate>;
  /** Whether it can be a key of the chain: a seed, or one with the archive's user ID (T1). */
  readonly isOfChain: (certificate: RawCertificate) => boolean;
  /** Whether there are revocations whose target is known only after reading which keys designated their maker as a revoker. */
  readonly designationsCount: boolean;
  /** Fingerprints and key IDs, also of subkeys: the signers of what will be verified. */
  readonly wanted: ReadonlySet<string>;
}

/**
 * The certificates that need not be read, because they change no verdict about another key or a wanted one. A key without the
 * archive's user ID can only be a delegate, and matters only for its own delegates. A certificate is read if it has news in
 * this run or a revocation, or if a certificate that is read names it as an issuer.
 */
export function restingDelegates({ held, quiet, isOfChain, designationsCount, wanted }: Known): Set<Fingerprint> {
  const resting = new Map<Fingerprint, RawCertificate>();
  for (const [key, certificate] of quiet) {
    if (held.get(key) !== certificate || isOfChain(certificate)) continue;
    if (revocationPart(certificate) !== undefined || (designationsCount && designatesRevokers(certificate))) continue;
    resting.set(key, certificate);
  }
  if (resting.size <= alwaysRead) return new Set();
  const byName = new Map<string, Fingerprint[]>();
  for (const [key, { subkeys }] of resting) {
    for (const one of [key, ...subkeys.flatMap(({ packet }) => fingerprintOf(packet.body) ?? [])]) {
      for (const name of [one, keyIdOf(one)]) append(byName, name, key);
    }
  }
  const names = new Set(wanted);
  const addDelegators = (certificate: RawCertificate) => {
    for (const name of delegatorsOf(certificate)) names.add(name);
  };
  for (const [key, certificate] of held) if (!resting.has(key)) addDelegators(certificate);
  // Iterating a set includes elements that are added during the loop.
  for (const name of names) {
    for (const key of byName.get(name) ?? []) {
      const certificate = resting.get(key);
      if (certificate === undefined) continue;
      resting.delete(key);
      addDelegators(certificate);
    }
  }
  return new Set(resting.keys());
}
