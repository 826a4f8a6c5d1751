/** Checks whether a key server's answer concerns a key, before feedkey verifies any signature in the answer. */
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import { readSignature } from "../packet/raw-signature.ts";
import { readKeyring, writeCertificate } from "./certificate.ts";

/**
 * Returns a function that tests a block of packets. The function returns true if the block contains the key's certificate, or a
 * bare revocation that names the key as its maker.
 */
export function isAbout(fingerprint: Fingerprint): (block: Uint8Array) => boolean {
  return (block) => {
    const { certificates, loose } = readKeyring(block);
    if (certificates.some((certificate) => certificate.fingerprint === fingerprint)) return true;
    return loose.some(({ body }) => {
      const raw = readSignature(body);
      if (raw?.type !== 0x20) return false;
      return raw.issuer.fingerprint === fingerprint || raw.issuer.keyId === keyIdOf(fingerprint);
    });
  };
}

/** Splits a block into blocks with one certificate each. Returns each block with the certificate's fingerprint. */
export function certificatesIn(block: Uint8Array): (readonly [Fingerprint, Uint8Array])[] {
  return readKeyring(block).certificates.map((one) => [one.fingerprint, writeCertificate(one)]);
}
