/** Selects what the client's state stores: certificates connected with the chain, and revocations and related packets (T4). */
import { append } from "../grouped.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { cutToSize } from "../openpgp/certificate/cut-to-size.ts";
import { keepVerified } from "../openpgp/certificate/merge.ts";
import { octetsOf, revocationPart, withoutForgeries } from "../openpgp/certificate/revocation-part.ts";
import type { Survey } from "../openpgp/certificate/revocation-store.ts";
import { keyIdOf } from "../openpgp/packet/key-packet.ts";
import { limits } from "../openpgp/packet/limits.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Link } from "../trust/transition.ts";
import type { Reading } from "./read-certificates.ts";

interface Chain {
  /** The seeds, and the keys that this client accepted before. */
  readonly connected: readonly Fingerprint[];
  readonly links: readonly Link[];
  /** The certificates in the client's state. */
  readonly stored: ReadonlySet<Fingerprint>;
  /** The certificates in the client's state and in the profile's keyring. */
  readonly own: ReadonlySet<Fingerprint>;
  /** Whether a user ID is the archive's user ID. */
  readonly isNamed: (userId: Uint8Array) => boolean;
}

/**
 * Returns the stored keys, and the keys to which the seeds lead over any certification, valid or not; except over delegations by keys that
 * may not delegate.
 */
function connectedKeys({ connected, links, stored }: Chain): Set<Fingerprint> {
  const subjects = new Map<Fingerprint, Fingerprint[]>();
  for (const { issuer, subject, unfounded } of links) {
    if (unfounded !== true) append(subjects, issuer, subject);
  }
  // Iterating a set includes elements that are added during the loop.
  const found = new Set(connected);
  for (const key of found) for (const subject of subjects.get(key) ?? []) found.add(subject);
  for (const key of stored) found.add(key);
  return found;
}

/**
 * Returns the certificates to store, without unverified packets: those already stored, with new packets; those to which the seeds lead over
 * valid or invalid links, because a revoked link must stay known; and those of the revokers of these keys, because the next run must verify
 * the revocations again (T4). Limits apply, because a thief of a key of the chain can make any number of certificates; certificates that
 * were stored first stay.
 */
export function certificatesWorthKeeping(
  { part, verified, facts }: Reading,
  chain: Chain,
): Map<Fingerprint, RawCertificate> {
  const connected = connectedKeys(chain);
  for (const { primary, revocations } of facts) {
    if (connected.has(primary.fingerprint)) for (const { certificate } of revocations) connected.add(certificate);
  }
  const isOwn = ({ fingerprint }: RawCertificate) => chain.own.has(fingerprint);
  const kept = [...part.values()].filter(({ fingerprint }) => connected.has(fingerprint));
  const found = new Map<Fingerprint, RawCertificate>();
  let room: number = limits.certificatesKept;
  for (const certificate of [...kept.filter(isOwn), ...kept.filter((one) => !isOwn(one))]) {
    const within = cutToSize(keepVerified(certificate, verified), limits.certificateKept, chain.isNamed);
    room -= octetsOf(within);
    if (room < 0 && !isOwn(certificate)) break;
    found.set(certificate.fingerprint, within);
  }
  return found;
}

/**
 * Returns what the revocation store needs to know when it is written.
 * @param own the seeds, and the keys in the client's state
 * @param part the certificates that were read for the judgement
 * @param verified the bodies of the packets whose signatures verified
 */
export function survey(
  own: ReadonlySet<Fingerprint>,
  part: ReadonlyMap<Fingerprint, RawCertificate>,
  verified: ReadonlySet<Uint8Array>,
  held: ReadonlyMap<Fingerprint, RawCertificate>,
  bystanders: ReadonlyMap<Fingerprint, RawCertificate>,
): Survey {
  const names = (certificates: ReadonlyMap<Fingerprint, RawCertificate>) => {
    return new Map([...certificates].flatMap(([key, one]) => [[key, one] as const, [keyIdOf(key), one] as const]));
  };
  const [chain, near, others] = [names(part), names(held), names(bystanders)];
  const read = new Map<Fingerprint, RawCertificate>();
  for (const [fingerprint, certificate] of part) {
    const revocations = revocationPart(certificate);
    if (revocations === undefined) continue;
    read.set(
      fingerprint,
      withoutForgeries(revocations, verified, (maker) => chain.has(maker)),
    );
  }
  return {
    read,
    verified,
    nearness: (key) => {
      if (own.has(chain.get(key)?.fingerprint ?? "")) return "own";
      return chain.has(key) ? "chain" : near.has(key) ? "held" : "stranger";
    },
    keyOf: (name) => (chain.get(name) ?? near.get(name) ?? others.get(name))?.primary,
  };
}
