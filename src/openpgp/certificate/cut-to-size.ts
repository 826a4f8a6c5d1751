/** Cuts certificates to a size limit, so that feedkey can read back every certificate that it writes. */

import type { Packet } from "../packet/packets.ts";
import { isRevocationType, signatureType } from "../packet/raw-signature.ts";
import type { Component, RawCertificate } from "./certificate.ts";
import { octetsOf } from "./revocation-part.ts";

/**
 * Cuts a certificate to a size limit. Keeps direct signatures first, then wanted user IDs, then other user IDs, then subkeys.
 * `revocation-store.ts` keeps the revocations that this function drops.
 * @param octets the size limit for the packets, without their headers
 */
export function cutToSize(
  certificate: RawCertificate,
  octets: number,
  isWanted: (userId: Uint8Array) => boolean,
): RawCertificate {
  if (octetsOf(certificate) <= octets) return certificate;
  let room = octets - certificate.primary.body.length;
  const take = (size: number) => {
    if (size > room) return false;
    room -= size;
    return true;
  };
  const within = (components: readonly Component[]) => {
    return components.flatMap(({ packet, signatures }) => {
      if (!take(packet.body.length)) return [];
      return [{ packet, signatures: signatures.filter(({ body }) => take(body.length)) }];
    });
  };
  const isFirst = ({ body }: Packet) => isRevocationType(signatureType(body) ?? 0);
  const { signatures: direct } = certificate;
  const inOrder = [...direct.filter(isFirst), ...direct.filter((packet) => !isFirst(packet))];
  const signatures = inOrder.filter(({ body }) => take(body.length));
  const wanted = within(certificate.userIds.filter(({ packet }) => isWanted(packet.body)));
  const others = within(certificate.userIds.filter(({ packet }) => !isWanted(packet.body)));
  return { ...certificate, signatures, userIds: [...wanted, ...others], subkeys: within(certificate.subkeys) };
}
