/** A certificate reduced to what a stock verifier needs: no other keys' certifications, no unusable subkeys. */
import type { Fingerprint } from "../../trust/facts.ts";
import { fingerprintOf, keyIdOf } from "../packet/key-packet.ts";
import type { Packet } from "../packet/packets.ts";
import { parseSignature } from "../packet/raw-signature.ts";
import type { Component, RawCertificate } from "./certificate.ts";

function bySelf({ fingerprint }: RawCertificate): (packet: Packet) => boolean {
  return ({ body }) => {
    const raw = parseSignature(body);
    if (typeof raw === "string") return false;
    const { fingerprint: named, keyId } = raw.issuer;
    return named === undefined ? keyId === keyIdOf(fingerprint) : named === fingerprint;
  };
}

/**
 * Primary key, self-signed user IDs and the given subkeys, each with the key's own signatures only.
 * @param certificate whose signatures were verified before (see `keepVerified`)
 * @param subkeys fingerprints of the subkeys worth keeping
 */
export function minimal(certificate: RawCertificate, subkeys: ReadonlySet<Fingerprint>): RawCertificate {
  const own = bySelf(certificate);
  const strip = ({ packet, signatures }: Component): Component => ({ packet, signatures: signatures.filter(own) });
  return {
    ...certificate,
    signatures: certificate.signatures.filter(own),
    userIds: certificate.userIds.map(strip).filter(({ signatures }) => signatures.length > 0),
    subkeys: certificate.subkeys.filter(({ packet }) => subkeys.has(fingerprintOf(packet.body) ?? "")).map(strip),
  };
}

/** Revocations: of a key, a subkey, a certification or user ID (RFC 9580 section 5.2.1). */
const revocationTypes = new Set([0x20, 0x28, 0x30]);

/**
 * The certificate as shipped to a client that never got news of it: its own signatures, without revocations.
 * @param certificate whose signatures were verified before
 */
export function asShipped(certificate: RawCertificate): RawCertificate {
  const own = bySelf(certificate);
  const keep = (packet: Packet) => {
    const raw = parseSignature(packet.body);
    return own(packet) && typeof raw !== "string" && !revocationTypes.has(raw.type);
  };
  const strip = ({ packet, signatures }: Component): Component => ({ packet, signatures: signatures.filter(keep) });
  return {
    ...certificate,
    signatures: certificate.signatures.filter(keep),
    userIds: certificate.userIds.map(strip).filter(({ signatures }) => signatures.length > 0),
    subkeys: certificate.subkeys.map(strip).filter(({ signatures }) => signatures.length > 0),
  };
}
