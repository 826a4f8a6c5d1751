/** Recognises key servers' answers about a key, before anything in an answer is verified. */
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import { readSignature } from "../packet/raw-signature.ts";
import { readKeyring, writeCertificate } from "./certificate.ts";

/** Returns a function that tells whether a block contains the key's certificate, or a bare revocation that names the key. */
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

/** Returns the certificates in a block, each as a separate block. */
export function certificatesIn(block: Uint8Array): (readonly [Fingerprint, Uint8Array])[] {
  return readKeyring(block).certificates.map((one) => [one.fingerprint, writeCertificate(one)]);
}
