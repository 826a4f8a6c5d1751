/** Delegates that need not be read: an archive may have ten thousand build machines, of which one signed. */
import { append } from "../grouped.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { designatesRevokers, revocationPart } from "../openpgp/certificate/revocation-part.ts";
import { fingerprintOf, keyIdOf } from "../openpgp/packet/key-packet.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { delegatorsOf } from "./delegators.ts";

/** Up to this many, all are read: then the ledger knows at once what became of each. */
export const alwaysRead = 100;

interface Known {
  /** All available certificates. */
  readonly held: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The keyring's and the state's as the run began: one that is another object now has news. */
  readonly quiet: ReadonlyMap<Fingerprint, RawCertificate>;
  /** Whether it can be a key of the chain: a seed, or one with the archive's user ID (T1). */
  readonly isOfChain: (certificate: RawCertificate) => boolean;
  /** Whether there are revocations whose target only shows when it is read whom it designated as its revoker. */
  readonly designationsCount: boolean;
  /** Fingerprints and key IDs, of subkeys too: who signed what is to be verified. */
  readonly wanted: ReadonlySet<string>;
}

/**
 * The certificates that change no verdict about any other key, nor about the wanted ones. A key without the archive's user ID can only
 * be a delegate, and bears only on those that it delegated to. Whatever has news in this run, or anything that takes trust away, is read,
 * and so is all that one that is read says it has its rights from.
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
  // A set iterates over what is added to it on the way.
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
