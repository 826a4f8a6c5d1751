/** Adds a new signature by feedkey to a certificate. */
import { FeedkeyError } from "../../error.ts";
import type { RawCertificate } from "../certificate/certificate.ts";
import { unite } from "../certificate/merge.ts";
import { loadKey } from "../packet/key-packet.ts";
import { libraryKey } from "../packet/library-key.ts";
import type { Packet } from "../packet/packets.ts";
import type { SignatureContent } from "./make-signature.ts";
import type { SecretKey } from "./secret-key.ts";

/** Returns the certificate with a signature about its primary key, such as a revocation. */
export function withKeySignature(certificate: RawCertificate, signature: Packet): RawCertificate {
  return unite(certificate, { signatures: [signature] });
}

/** Returns the certificate with a certification of one of its user IDs, or a withdrawal of a certification. */
export function withUserIdSignature(certificate: RawCertificate, userId: string, signature: Packet): RawCertificate {
  const wanted = Buffer.from(userId, "utf8");
  const component = certificate.userIds.find(({ packet }) => Buffer.compare(packet.body, wanted) === 0);
  if (component === undefined) {
    throw new FeedkeyError("bad_certificate", `${certificate.fingerprint} has no user ID "${userId}"`);
  }
  return unite(certificate, { userIds: [{ packet: component.packet, signatures: [signature] }] });
}

/** Returns the certificate with a signature about one of its subkeys. */
export function withSubkeySignature(certificate: RawCertificate, packet: Packet, signature: Packet): RawCertificate {
  return unite(certificate, { subkeys: [{ packet, signatures: [signature] }] });
}

/**
 * Certifies a user ID of `subject` (0x10), or withdraws the certification (0x30).
 * @param userId the text of a user ID in the subject's certificate
 * @returns the subject's certificate with the new signature
 * @throws FeedkeyError `bad_certificate` if the certificate does not have the user ID, or feedkey can't use its key
 */
export async function certify(
  issuer: SecretKey,
  subject: RawCertificate,
  userId: string,
  content: SignatureContent,
): Promise<RawCertificate> {
  const key = await loadKey(subject.primary.body, subject.fingerprint);
  if (key === undefined)
    throw new FeedkeyError("bad_certificate", `${subject.fingerprint} is of a kind or form that feedkey can't use`);
  return withUserIdSignature(subject, userId, await issuer.certify(await libraryKey(key.body), userId, content));
}
