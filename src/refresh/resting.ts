/**
 * Finds the delegates whose certificates feedkey need not read: an archive may have ten thousand build machines, of which only one signed.
 */
import { append } from "../grouped.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { designatesRevokers, revocationPart } from "../openpgp/certificate/revocation-part.ts";
import { fingerprintOf, keyIdOf } from "../openpgp/packet/key-packet.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { delegatorsOf } from "./delegators.ts";

/** Up to this number, feedkey reads all delegates, so that the ledger is up to date about each of them. */
export const alwaysRead = 100;

interface Known {
  /** All available certificates. */
  readonly held: ReadonlyMap<Fingerprint, RawCertificate>;
  /**
   * The certificates in the keyring and the state at the start of the run. If `held` has another object for a key, this run received new
   * packets for the key.
   */
  readonly quiet: ReadonlyMap<Fingerprint, RawCertificate>;
  /** Whether a certificate can be a key of the chain: a seed, or a certificate with the archive's user ID (T1). */
  readonly isOfChain: (certificate: RawCertificate) => boolean;
  /**
   * Whether the client has bare revocations. To find out which keys these revoke, feedkey must read which keys designated their maker as a
   * revoker.
   */
  readonly designationsCount: boolean;
  /** The signers of the data to be verified: fingerprints and key IDs, also those of subkeys. */
  readonly wanted: ReadonlySet<string>;
}

/**
 * Returns the certificates that need not be read, because they change no verdict about a wanted key or a key that is read. A key without
 * the archive's user ID can only be a delegate, and matters only for delegations below it. A certificate is read if this run received new
 * packets for it, if it has a revocation, or if a certificate that is read names it as an issuer.
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
  // The loop also visits the names that it adds.
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
