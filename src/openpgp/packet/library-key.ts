/** Uses the OpenPGP library to read keys with rare algorithms. */
import { enums, PublicKeyPacket } from "openpgp";
import type { Fingerprint, KeyFacts } from "../../trust/facts.ts";
import { limits } from "./limits.ts";
import { isOpen } from "./native-key.ts";

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
 * Reads a public key packet with the library.
 * @throws Error if the library can't read the packet
 */
export async function libraryKey(body: Uint8Array): Promise<PublicKeyPacket> {
  const packet = new PublicKeyPacket();
  await packet.read(body);
  return packet;
}

/**
 * Reads the facts about a key with the library.
 * @param body the body of the key's packet
 * @returns undefined for a key that feedkey can't use
 */
export async function libraryFacts(
  body: Uint8Array,
  fingerprint: Fingerprint,
): Promise<Pick<KeyFacts, "algorithm" | "bits" | "curve"> | undefined> {
  try {
    const packet = await libraryKey(body);
    // The library computes the fingerprint from its own output. If this output differs from the packet, the key has two
    // fingerprints. So feedkey refuses the key.
    if (packet.getFingerprint().toUpperCase() !== fingerprint || isSlow(packet) || isOpenRsa(packet)) return undefined;
    const { bits, curve } = packet.getAlgorithmInfo();
    const algorithm = algorithmNames[packet.algorithm] ?? "unknown";
    return {
      algorithm,
      bits: bits ?? curveBits[curve ?? ""] ?? fixedBits[algorithm] ?? 0,
      ...(curve === undefined ? {} : { curve }),
    };
  } catch {
    // feedkey ignores a key that the library can't parse.
    return undefined;
  }
}

/** Whether one verification would take a tenth of a second or more, even minutes, because of huge moduli, groups or exponents. */
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

function isOpenRsa({ publicParams }: PublicKeyPacket): boolean {
  const { n, e } = publicParams as Record<string, unknown>;
  return n instanceof Uint8Array && e instanceof Uint8Array && isOpen(n, e);
}
