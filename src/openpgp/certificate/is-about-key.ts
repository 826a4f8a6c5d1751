/** Finds out whether a key server's answer is about a key, before feedkey verifies any signature in the answer. */
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import { readSignature } from "../packet/raw-signature.ts";
import { readKeyring, writeCertificate } from "./certificate.ts";

/**
 * Returns a function that tells whether a block of packets contains the key's certificate, or a bare revocation that
 * names the key as its maker.
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

/** Returns each certificate in a block, with its fingerprint, as a block of its own. */
export function certificatesIn(block: Uint8Array): (readonly [Fingerprint, Uint8Array])[] {
  return readKeyring(block).certificates.map((one) => [one.fingerprint, writeCertificate(one)]);
}
