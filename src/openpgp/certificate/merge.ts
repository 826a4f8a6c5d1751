/** Merges copies of a certificate without losing a packet; and, for stores, removes signatures that were not verified. */
import { append, grouped } from "../../grouped.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import type { Packet } from "../packet/packets.ts";
import { revokerIn } from "../packet/raw-signature.ts";
import { latin1 } from "../packet/subpackets.ts";
import type { Component, Keyring, RawCertificate } from "./certificate.ts";

/** Within a list of one kind of packets, the body identifies a packet. It is not copied. */
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

/** Those of `others` that are not among `known`, once each. */
function unknownPackets(known: readonly Packet[], others: readonly Packet[]): readonly Packet[] {
  if (others.length === 0) return others;
  const names = new Set(known.map(nameOf));
  return others.filter((packet) => {
    const before = names.size;
    return names.add(nameOf(packet)).size > before;
  });
}

/** Returns `known` itself if there is nothing new. */
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

/** The union of a certificate and a copy of it, or packets for it; returns `a` itself if there is nothing new. */
export function unite(a: RawCertificate, b: Partial<RawCertificate>): RawCertificate {
  const more = unknownPackets(a.signatures, b.signatures ?? []);
  const userIds = addComponents(a.userIds, b.userIds ?? []);
  const subkeys = addComponents(a.subkeys, b.subkeys ?? []);
  if (more.length === 0 && userIds === a.userIds && subkeys === a.subkeys) return a;
  return { ...a, signatures: [...a.signatures, ...more], userIds, subkeys };
}

/** The union of any number of copies, in one go: a file may hold a hundred thousand of one certificate. */
function uniteAll({ fingerprint, primary }: RawCertificate, copies: readonly RawCertificate[]): RawCertificate {
  return {
    fingerprint,
    primary,
    signatures: unitePackets(copies.map(({ signatures }) => signatures)),
    userIds: uniteComponents(copies.flatMap(({ userIds }) => userIds)),
    subkeys: uniteComponents(copies.flatMap(({ subkeys }) => subkeys)),
  };
}

/** Certificates by fingerprint, several copies of one united. */
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
 * Adds bare revocations (as key servers send them, without the key that they revoke) to the certificates that they name.
 * They are checked when the facts are read.
 */
export function attachLoose(
  certificates: ReadonlyMap<Fingerprint, RawCertificate>,
  loose: Keyring["loose"],
): Map<Fingerprint, RawCertificate> {
  // Collected first and added once: a server may send a hundred thousand.
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

/** A certificate with some of its signatures, and the user IDs and subkeys that still have one. */
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
 * A certificate without the signatures that did not verify: junk that anybody can upload to a key server.
 * @param verified bodies of the good ones, as reported by `readFacts`
 */
export function keepVerified(certificate: RawCertificate, verified: ReadonlySet<Uint8Array>): RawCertificate {
  return keepSignatures(certificate, ({ body }) => verified.has(body));
}
