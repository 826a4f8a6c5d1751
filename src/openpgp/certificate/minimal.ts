/** Reduces a certificate to the packets that a stock verifier needs: drops certifications by other keys, and unusable subkeys. */
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
 * Returns the primary key, its self-signed user IDs and the given subkeys, each with only the key's own signatures.
 * @param certificate a certificate whose signatures have all verified (see `keepVerified`)
 * @param subkeys the fingerprints of the subkeys to keep
 */
export function minimal(certificate: RawCertificate, subkeys: ReadonlySet<Fingerprint>): RawCertificate {
  const wanted = certificate.subkeys.filter(({ packet }) => subkeys.has(fingerprintOf(packet.body) ?? ""));
  return keepSignatures({ ...certificate, subkeys: wanted }, bySelf(certificate));
}

/**
 * Returns the certificate of a client that has never updated. This certificate has the key's own signatures, but no
 * revocations.
 * @param certificate a certificate whose signatures have all verified
 */
export function asShipped(certificate: RawCertificate): RawCertificate {
  const own = bySelf(certificate);
  return keepSignatures(certificate, (packet) => own(packet) && !isRevocationType(signatureType(packet.body) ?? 0));
}
