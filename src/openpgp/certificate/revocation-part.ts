/**
 * Finds the signatures in a certificate that remove trust: revocations and withdrawals (T4: feedkey never forgets a revocation).
 * feedkey keeps these signatures even if it drops all others.
 */

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

/** Whether a key revocation names another key as its maker. The revoked key may have designated the other key as its revoker. */
function isByAnother({ body }: Packet, fingerprint: string): boolean {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  return raw !== undefined && !namesIssuer(raw, fingerprint);
}

function designates({ body }: Packet): boolean {
  return (readSignature(body)?.hashed.designatedRevokers.length ?? 0) > 0;
}

/** Whether a certificate names a designated revoker. Does not verify any signature. */
export function designatesRevokers({ signatures, userIds }: RawCertificate): boolean {
  return [signatures, ...userIds.map((one) => one.signatures)].some((packets) => packets.some(designates));
}

/**
 * Returns the revocations and withdrawals in a certificate. If another key revoked this key, also returns the signatures that
 * may have designated the other key as a revoker. feedkey needs these signatures to check the revocation again.
 * @returns undefined if the certificate has no revocations or withdrawals
 */
export function revocationPart(certificate: RawCertificate): RawCertificate | undefined {
  const isForeign = certificate.signatures.some((packet) => isByAnother(packet, certificate.fingerprint));
  const part = keepSignatures(certificate, (packet) => isRevocation(packet) || (isForeign && designates(packet)));
  return part.signatures.length + part.userIds.length + part.subkeys.length === 0 ? undefined : part;
}

/**
 * Returns the sort key of a packet. If not all packets fit, feedkey keeps hard revocations first, and then older revocations
 * before newer revocations.
 */
function gravity({ body }: Packet): number {
  const hashed = readSignature(body)?.hashed;
  return hashed?.reason === undefined ? 0 : (hashed.createdAt ?? 0);
}

interface Room {
  octets: number;
  count: number;
  readonly verified: ReadonlySet<Uint8Array>;
}

/** Returns the most severe packets that fit within the limits. Verified packets come first. */
function mostSerious(packets: readonly Packet[], room: Room): Packet[] {
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
 * Reduces the revocations in one certificate to the limits. Keeps the revocations of the key itself first, and then the
 * revocations of the key's user IDs and subkeys.
 * @param octets the size limit for the packets
 * @param verified the bodies of the packets that verified
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
      const kept = mostSerious(signatures, room);
      if (kept.length > 0) return [{ packet, signatures: kept }];
      room.octets += packet.body.length;
      return [];
    });
  };
  const signatures = mostSerious(part.signatures, room);
  return { ...part, signatures, userIds: within(part.userIds), subkeys: within(part.subkeys) };
}

/**
 * Removes forged packets from a part. A packet is forged if it names the key itself as its maker, but does not verify. Keeps
 * packets by other keys. They may verify later, when feedkey has the other key, or the signature that designated the other key
 * as a revoker.
 * @param verified the bodies of the packets that verified
 * @param isKnown whether the key with this fingerprint or key ID was available for the check
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

/** Returns the fingerprints or key IDs of the other keys that a certificate's key revocations name as their makers. */
export function foreignRevokers({ fingerprint, signatures }: RawCertificate): string[] {
  const others = signatures.filter((packet) => isByAnother(packet, fingerprint));
  return [...new Set(others.flatMap(({ body }) => revokerIn(body) ?? []))];
}

/** Returns the total size of a certificate's packets in octets, without headers. */
export function octetsOf({ primary, signatures, userIds, subkeys }: RawCertificate): number {
  const sum = (packets: readonly Packet[]) => packets.reduce((total, { body }) => total + body.length, 0);
  const all = [...userIds, ...subkeys].reduce((total, one) => total + one.packet.body.length + sum(one.signatures), 0);
  return primary.body.length + sum(signatures) + all;
}
