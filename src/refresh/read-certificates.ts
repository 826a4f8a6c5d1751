/** The available certificates, read: the facts that the judge is given, and which packets were found good. */
import type { Component, RawCertificate } from "../openpgp/certificate/certificate.ts";
import type { RevocationStore } from "../openpgp/certificate/revocation-store.ts";
import { designatedBy, factsOf } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";

/** How many signatures of each part are read for messages alone. */
const toldSignatures = 20;

/** As much of a certificate as a message needs. */
export function cutDown(certificate: RawCertificate): RawCertificate {
  const cut = <T>(list: readonly T[]) => list.slice(0, toldSignatures);
  const cutAll = (components: readonly Component[]) => {
    return cut(components).map(({ packet, signatures }) => ({ packet, signatures: cut(signatures) }));
  };
  const { signatures, userIds, subkeys } = certificate;
  return { ...certificate, signatures: cut(signatures), userIds: cutAll(userIds), subkeys: cutAll(subkeys) };
}

/** Reads certificates with each other's keys: what one says of another is checked. */
export async function readAll(certificates: ReadonlyMap<Fingerprint, RawCertificate>) {
  const keys = await KeyIndex.of(certificates.values());
  const verified = new Set<Uint8Array>();
  return { facts: await factsOf(keys, (body) => verified.add(body)), verified };
}

/** What is read from one state of the available certificates. */
export interface Reading {
  /** The certificates that take part. */
  readonly part: ReadonlyMap<Fingerprint, RawCertificate>;
  /** Theirs, and those of some others, for messages. */
  readonly keys: KeyIndex;
  readonly facts: CertificateFacts[];
  /** Bodies of the signature packets found good. */
  readonly verified: ReadonlySet<Uint8Array>;
  readonly crowded: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /** Delegates that were not read. */
  readonly resting: ReadonlySet<Fingerprint>;
}

/** A bare revocation only names its maker: it is added to each key that designated that one as its revoker. */
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

/** Keys for messages: first those hidden by a crowd, since one of them may be the right one. */
export function tellingFirst(aside: readonly RawCertificate[], crowded: Reading["crowded"]): RawCertificate[] {
  const leftOut = new Set([...crowded.values()].flat());
  const isLeftOut = ({ fingerprint }: RawCertificate) => leftOut.has(fingerprint);
  return [...aside.filter(isLeftOut), ...aside.filter((one) => !isLeftOut(one))];
}
