/**
 * Merges copies of a certificate without losing a packet. Also removes signatures that did not verify, before feedkey stores
 * a certificate.
 */
import { append, grouped } from "../../grouped.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import type { Packet } from "../packet/packets.ts";
import { revokerIn } from "../packet/raw-signature.ts";
import { latin1 } from "../packet/subpackets.ts";
import type { Component, Keyring, RawCertificate } from "./certificate.ts";

/** Returns a string that identifies a packet among packets of one kind: the body, with one character for each byte. */
function nameOf({ body }: Packet): string {
  return latin1(body);
}

function unitePackets(lists: readonly (readonly Packet[])[]): Packet[] {
  const found = new Map<string, Packet>();
  for (const packets of lists) {
    for (const packet of packets) if (!found.has(nameOf(packet))) found.set(nameOf(packet), packet);
  }
  return [...found.values()];
}

function uniteComponents(components: readonly Component[]): Component[] {
  const copies = [...grouped(components, ({ packet }) => nameOf(packet)).values()];
  return copies.flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    return { packet: first.packet, signatures: unitePackets([first, ...others].map(({ signatures }) => signatures)) };
  });
}

/** Returns the packets in `others` that are not in `known`, without duplicates. */
function unknownPackets(known: readonly Packet[], others: readonly Packet[]): readonly Packet[] {
  if (others.length === 0) return others;
  const names = new Set(known.map(nameOf));
  return others.filter((packet) => {
    const before = names.size;
    return names.add(nameOf(packet)).size > before;
  });
}

/** Adds components to `known`. Returns `known` itself if `others` has no new component or signature. */
function addComponents(known: readonly Component[], others: readonly Component[]): readonly Component[] {
  if (others.length === 0) return known;
  const found = new Map(known.map((component) => [nameOf(component.packet), component]));
  let news = false;
  for (const { packet, signatures } of others) {
    const name = nameOf(packet);
    const before = found.get(name);
    const more = unknownPackets(before?.signatures ?? [], signatures);
    if (before !== undefined && more.length === 0) continue;
    found.set(name, { packet, signatures: [...(before?.signatures ?? []), ...more] });
    news = true;
  }
  return news ? [...found.values()] : known;
}

/** Merges a certificate with a copy of it, or with more packets for it. Returns `a` itself if `b` has no new packet. */
export function unite(a: RawCertificate, b: Partial<RawCertificate>): RawCertificate {
  const more = unknownPackets(a.signatures, b.signatures ?? []);
  const userIds = addComponents(a.userIds, b.userIds ?? []);
  const subkeys = addComponents(a.subkeys, b.subkeys ?? []);
  if (more.length === 0 && userIds === a.userIds && subkeys === a.subkeys) return a;
  return { ...a, signatures: [...a.signatures, ...more], userIds, subkeys };
}

/** Merges any number of copies at once, because a file may contain a hundred thousand copies of one certificate. */
function uniteAll({ fingerprint, primary }: RawCertificate, copies: readonly RawCertificate[]): RawCertificate {
  return {
    fingerprint,
    primary,
    signatures: unitePackets(copies.map(({ signatures }) => signatures)),
    userIds: uniteComponents(copies.flatMap(({ userIds }) => userIds)),
    subkeys: uniteComponents(copies.flatMap(({ subkeys }) => subkeys)),
  };
}

/** Groups certificates by fingerprint, and merges the copies of each certificate. */
export function collect(certificates: Iterable<RawCertificate>): Map<Fingerprint, RawCertificate> {
  const copies = grouped(certificates, (certificate) => certificate.fingerprint);
  const found = new Map<Fingerprint, RawCertificate>();
  for (const [fingerprint, all] of copies) {
    const [first] = all;
    if (first !== undefined) found.set(fingerprint, all.length === 1 ? first : uniteAll(first, all));
  }
  return found;
}

/**
 * Adds bare revocations to the certificates that they name. Key servers send revocations without the revoked key.
 * `readFacts` verifies the revocations later.
 */
export function attachLoose(
  certificates: ReadonlyMap<Fingerprint, RawCertificate>,
  loose: Keyring["loose"],
): Map<Fingerprint, RawCertificate> {
  // The code adds all revocations for a certificate in one step, because a server may send a hundred thousand.
  const named = new Map<string, Packet[]>();
  for (const packet of loose) {
    const name = revokerIn(packet.body);
    if (name !== undefined) append(named, name, packet);
  }
  const found = new Map(certificates);
  for (const [fingerprint, certificate] of certificates) {
    const signatures = [...(named.get(fingerprint) ?? []), ...(named.get(keyIdOf(fingerprint)) ?? [])];
    found.set(fingerprint, unite(certificate, { signatures }));
  }
  return found;
}

/** Returns a certificate with only the wanted signatures. Drops user IDs and subkeys that have no wanted signature. */
export function keepSignatures(certificate: RawCertificate, isKept: (packet: Packet) => boolean): RawCertificate {
  const prune = (components: readonly Component[]) => {
    return components
      .map(({ packet, signatures }) => ({ packet, signatures: signatures.filter(isKept) }))
      .filter(({ signatures }) => signatures.length > 0);
  };
  return {
    ...certificate,
    signatures: certificate.signatures.filter(isKept),
    userIds: prune(certificate.userIds),
    subkeys: prune(certificate.subkeys),
  };
}

/**
 * Returns a certificate without the signatures that did not verify. Anyone can upload false signatures to a key server.
 * @param verified the bodies of the signatures that verified, from `readFacts`
 */
export function keepVerified(certificate: RawCertificate, verified: ReadonlySet<Uint8Array>): RawCertificate {
  return keepSignatures(certificate, ({ body }) => verified.has(body));
}
