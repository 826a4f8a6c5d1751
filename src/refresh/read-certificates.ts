/** Reads the available certificates: returns the facts for the judge, and the packets whose signatures verified. */
import type { Component, RawCertificate } from "../openpgp/certificate/certificate.ts";
import type { RevocationStore } from "../openpgp/certificate/revocation-store.ts";
import { designatedBy, factsOf } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";

/** The number of signatures, user IDs and subkeys that feedkey reads if a certificate serves only for messages. */
const toldSignatures = 20;

/** Reduces a certificate to the parts that messages need. */
export function cutDown(certificate: RawCertificate): RawCertificate {
  const cut = <T>(list: readonly T[]) => list.slice(0, toldSignatures);
  const cutAll = (components: readonly Component[]) => {
    return cut(components).map(({ packet, signatures }) => ({ packet, signatures: cut(signatures) }));
  };
  const { signatures, userIds, subkeys } = certificate;
  return { ...certificate, signatures: cut(signatures), userIds: cutAll(userIds), subkeys: cutAll(subkeys) };
}

/** Reads certificates together, and verifies their signatures over each other. */
export async function readAll(certificates: ReadonlyMap<Fingerprint, RawCertificate>) {
  const keys = await KeyIndex.of(certificates.values());
  const verified = new Set<Uint8Array>();
  return { facts: await factsOf(keys, (body) => verified.add(body)), verified };
}

/** What was read from the available certificates at one point in the run. */
export interface Reading {
  /** The certificates that take part in the judgement. */
  readonly part: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The keys of these certificates, and of some other certificates for messages. */
  readonly keys: KeyIndex;
  readonly facts: CertificateFacts[];
  /** The bodies of the signature packets that verified. */
  readonly verified: ReadonlySet<Uint8Array>;
  readonly crowded: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /** The delegates that were not read. */
  readonly resting: ReadonlySet<Fingerprint>;
}

/**
 * Adds bare revocations (without a certificate) to keys. A bare revocation names only its maker. So it is added to each key that designated
 * this maker as a revoker, and verified there.
 * @returns whether a revocation was added
 */
export function layByRevokers(
  revocations: RevocationStore,
  part: Map<Fingerprint, RawCertificate>,
  facts: readonly CertificateFacts[],
): boolean {
  let isNews = false;
  for (const one of facts) {
    const certificate = part.get(one.primary.fingerprint);
    if (certificate === undefined) continue;
    const whole = revocations.attachTo(certificate, [...designatedBy([one])]);
    if (whole === certificate) continue;
    part.set(certificate.fingerprint, whole);
    isNews = true;
  }
  return isNews;
}

/**
 * Sorts certificates that serve for messages: those that feedkey left out because of a crowd come first, because one of them may be the
 * right key.
 */
export function tellingFirst(aside: readonly RawCertificate[], crowded: Reading["crowded"]): RawCertificate[] {
  const leftOut = new Set([...crowded.values()].flat());
  const isLeftOut = ({ fingerprint }: RawCertificate) => leftOut.has(fingerprint);
  return [...aside.filter(isLeftOut), ...aside.filter((one) => !isLeftOut(one))];
}
