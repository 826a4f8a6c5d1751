/** The parts of a certificate that take trust away (T4): they are kept even if the rest of it is not. */

import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import {
  isRevocationType,
  makerOf,
  namesIssuer,
  readSignature,
  revokerIn,
  signatureType,
} from "../packet/raw-signature.ts";
import type { Component, RawCertificate } from "./certificate.ts";
import { keepSignatures } from "./merge.ts";

/** Whether a packet revokes a key, a subkey or a user ID, or withdraws a certification. */
function isRevocation({ body }: Packet): boolean {
  return isRevocationType(signatureType(body) ?? 0);
}

/** Whether a key revocation claims another key as its maker: a revoker that this key may have designated. */
function isByAnother({ body }: Packet, fingerprint: string): boolean {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  return raw !== undefined && !namesIssuer(raw, fingerprint);
}

function designates({ body }: Packet): boolean {
  return (readSignature(body)?.hashed.designatedRevokers.length ?? 0) > 0;
}

/** Whether a certificate names a designated revoker; this is not verified here. */
export function designatesRevokers({ signatures, userIds }: RawCertificate): boolean {
  return [signatures, ...userIds.map((one) => one.signatures)].some((packets) => packets.some(designates));
}

/**
 * The revocations and withdrawals of a certificate. If another key revoked it, also the signatures that may have designated
 * that key, which are needed to check the revocation again.
 * @returns undefined if there are none
 */
export function revocationPart(certificate: RawCertificate): RawCertificate | undefined {
  const isForeign = certificate.signatures.some((packet) => isByAnother(packet, certificate.fingerprint));
  const part = keepSignatures(certificate, (packet) => isRevocation(packet) || (isForeign && designates(packet)));
  return part.signatures.length + part.userIds.length + part.subkeys.length === 0 ? undefined : part;
}

/** The order of packets if there are too many: hard ones first, then the oldest. */
function gravity({ body }: Packet): number {
  const hashed = readSignature(body)?.hashed;
  return hashed?.reason === undefined ? 0 : (hashed.createdAt ?? 0);
}

interface Room {
  octets: number;
  count: number;
  readonly verified: ReadonlySet<Uint8Array>;
}

/** The most severe packets within the limits; verified ones come first. */
function gravest(packets: readonly Packet[], room: Room): Packet[] {
  const rank = ({ body }: Packet) => (room.verified.has(body) ? 0 : 1);
  const inOrder = packets.toSorted((a, b) => rank(a) - rank(b) || gravity(a) - gravity(b));
  return inOrder.filter(({ body }) => {
    if (room.count < 1 || room.octets < body.length) return false;
    room.count -= 1;
    room.octets -= body.length;
    return true;
  });
}

/**
 * Reduces a part to the limits for one target: its own revocations first, then those of subkeys and user IDs.
 * @param octets bytes of packets
 * @param verified bodies of the packets that verified
 */
export function cutDownPart(
  part: RawCertificate,
  octets: number,
  verified: ReadonlySet<Uint8Array> = new Set(),
): RawCertificate {
  const room = { octets: octets - part.primary.body.length, count: limits.revocationsOfOne, verified };
  const within = (components: readonly Component[]) => {
    return components.flatMap(({ packet, signatures }) => {
      if (room.octets < packet.body.length) return [];
      room.octets -= packet.body.length;
      const kept = gravest(signatures, room);
      if (kept.length > 0) return [{ packet, signatures: kept }];
      room.octets += packet.body.length;
      return [];
    });
  };
  const signatures = gravest(part.signatures, room);
  return { ...part, signatures, userIds: within(part.userIds), subkeys: within(part.subkeys) };
}

/**
 * A part without forged packets: those that name the key itself as their maker and do not verify. Those of another key may
 * still verify once that key, or its designation as a revoker, is known.
 * @param verified bodies of the packets that verified
 * @param isKnown whether a key, by fingerprint or key ID, was available when they were checked
 */
export function withoutForgeries(
  part: RawCertificate,
  verified: ReadonlySet<Uint8Array>,
  isKnown: (maker: string) => boolean,
): RawCertificate {
  return keepSignatures(part, (packet) => {
    if (verified.has(packet.body) || isByAnother(packet, part.fingerprint)) return true;
    const raw = signatureType(packet.body) === 0x30 ? readSignature(packet.body) : undefined;
    const maker = raw && makerOf(raw);
    return maker !== undefined && !isKnown(maker);
  });
}

/** The keys that claim to be revokers of a key: fingerprints or key IDs. */
export function foreignRevokers({ fingerprint, signatures }: RawCertificate): string[] {
  const others = signatures.filter((packet) => isByAnother(packet, fingerprint));
  return [...new Set(others.flatMap(({ body }) => revokerIn(body) ?? []))];
}

/** Octets of all packets of a certificate. */
export function octetsOf({ primary, signatures, userIds, subkeys }: RawCertificate): number {
  const sum = (packets: readonly Packet[]) => packets.reduce((total, { body }) => total + body.length, 0);
  const all = [...userIds, ...subkeys].reduce((total, one) => total + one.packet.body.length + sum(one.signatures), 0);
  return primary.body.length + sum(signatures) + all;
}
