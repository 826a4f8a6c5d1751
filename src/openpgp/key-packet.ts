/** Public key packets -> facts, with the library's object that can check their signatures. */
import { createHash } from "node:crypto";
import { enums, PublicKeyPacket } from "openpgp";
import type { Fingerprint, KeyFacts } from "../trust/facts.ts";
import { limits } from "./limits.ts";
import { hex } from "./subpackets.ts";

/** A component key that can check signatures. */
export interface LoadedKey {
  readonly facts: KeyFacts;
  /** The certificate that it is listed in: its own fingerprint for a primary. */
  readonly certificate: Fingerprint;
  readonly packet: PublicKeyPacket;
}

/** Fingerprint of a public key packet's body (RFC 9580 section 5.5.4); undefined for versions other than 4 and 6. */
export function fingerprintOf(body: Uint8Array): Fingerprint | undefined {
  const { length } = body;
  if (body[0] === 4 && length <= 0xffff) {
    const head = Buffer.from([0x99, length >> 8, length & 0xff]);
    return hex(createHash("sha1").update(head).update(body).digest());
  }
  if (body[0] !== 6) return undefined;
  const head = Buffer.alloc(5, 0x9b);
  head.writeUInt32BE(length, 1);
  return hex(createHash("sha256").update(head).update(body).digest());
}

/** The 64-bit look-up hint of a fingerprint (RFC 9580 section 5.5.4): never an identity. */
export function keyIdOf(fingerprint: Fingerprint): string {
  return fingerprint.length === 64 ? fingerprint.slice(0, 16) : fingerprint.slice(-16);
}

const algorithmNames: Readonly<Record<number, string>> = {
  [enums.publicKey.rsaEncryptSign]: "rsa",
  [enums.publicKey.rsaEncrypt]: "rsaEncrypt",
  [enums.publicKey.rsaSign]: "rsa",
  [enums.publicKey.elgamal]: "elgamal",
  [enums.publicKey.dsa]: "dsa",
  [enums.publicKey.ecdh]: "ecdh",
  [enums.publicKey.ecdsa]: "ecdsa",
  [enums.publicKey.eddsaLegacy]: "eddsaLegacy",
  [enums.publicKey.x25519]: "x25519",
  [enums.publicKey.x448]: "x448",
  [enums.publicKey.ed25519]: "ed25519",
  [enums.publicKey.ed448]: "ed448",
};

const curveBits: Readonly<Record<string, number>> = {
  nistP256: 256,
  nistP384: 384,
  nistP521: 521,
  secp256k1: 256,
  ed25519Legacy: 256,
  curve25519Legacy: 256,
  brainpoolP256r1: 256,
  brainpoolP384r1: 384,
  brainpoolP512r1: 512,
};

const fixedBits: Readonly<Record<string, number>> = { ed25519: 256, x25519: 256, ed448: 448, x448: 448 };

/**
 * Loads a public key or subkey packet.
 * @param body the packet's body
 * @param certificate fingerprint of the certificate that lists it
 * @returns undefined for a key that feedkey can't use: unknown version or algorithm, damaged, absurdly large
 */
export async function loadKey(body: Uint8Array, certificate: Fingerprint): Promise<LoadedKey | undefined> {
  const fingerprint = fingerprintOf(body);
  if (fingerprint === undefined) return undefined;
  const packet = new PublicKeyPacket();
  try {
    await packet.read(body);
    // The library hashes what it writes back; bytes that it doesn't reproduce would give the key a second identity.
    if (packet.getFingerprint().toUpperCase() !== fingerprint) return undefined;
    const { bits, curve } = packet.getAlgorithmInfo();
    const algorithm = algorithmNames[packet.algorithm] ?? "unknown";
    if (isSlow(packet)) return undefined;
    const facts: KeyFacts = {
      fingerprint,
      keyId: keyIdOf(fingerprint),
      version: packet.version,
      algorithm,
      bits: bits ?? curveBits[curve ?? ""] ?? fixedBits[algorithm] ?? 0,
      ...(curve === undefined ? {} : { curve }),
      createdAt: packet.created.getTime(),
    };
    return { facts, certificate, packet };
  } catch {
    // The library refuses what it can't parse; such a key is as good as absent.
    return undefined;
  }
}

/** Whether one verification with it would take from a tenth of a second up to minutes: huge moduli, groups or exponents. */
function isSlow({ algorithm, publicParams }: PublicKeyPacket): boolean {
  const octets = (name: string) => {
    const number = (publicParams as Record<string, unknown>)[name];
    return number instanceof Uint8Array ? number.length : 0;
  };
  if (["n", "p", "q", "g", "y"].some((name) => octets(name) * 8 > limits.rsaBits)) return true;
  if (octets("e") > 8) return true;
  return (
    algorithm === enums.publicKey.dsa && (octets("p") * 8 > limits.dsaBits || octets("q") * 8 > limits.dsaGroupBits)
  );
}
