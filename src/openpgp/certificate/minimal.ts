/** A certificate reduced to what a stock verifier needs: no other keys' certifications, no unusable subkeys. */
import type { Fingerprint } from "../../trust/facts.ts";
import { fingerprintOf } from "../packet/key-packet.ts";
import type { Packet } from "../packet/packets.ts";
import { isRevocationType, namesIssuer, readSignature, signatureType } from "../packet/raw-signature.ts";
import type { RawCertificate } from "./certificate.ts";
import { keepSignatures } from "./merge.ts";

function bySelf({ fingerprint }: RawCertificate): (packet: Packet) => boolean {
  return ({ body }) => {
    const raw = readSignature(body);
    return raw !== undefined && namesIssuer(raw, fingerprint);
  };
}

/**
 * Primary key, self-signed user IDs and the given subkeys, each with the key's own signatures only.
 * @param certificate whose signatures were verified before (see `keepVerified`)
 * @param subkeys fingerprints of the subkeys worth keeping
 */
export function minimal(certificate: RawCertificate, subkeys: ReadonlySet<Fingerprint>): RawCertificate {
  const wanted = certificate.subkeys.filter(({ packet }) => subkeys.has(fingerprintOf(packet.body) ?? ""));
  return keepSignatures({ ...certificate, subkeys: wanted }, bySelf(certificate));
}

/**
 * The certificate as a client has it that was never updated: its own signatures, without revocations.
 * @param certificate whose signatures were verified before
 */
export function asShipped(certificate: RawCertificate): RawCertificate {
  const own = bySelf(certificate);
  return keepSignatures(certificate, (packet) => own(packet) && !isRevocationType(signatureType(packet.body) ?? 0));
}
