/**
 * Reads ECDSA and DSA keys in browsers. Keys of other rare algorithms count as unusable. The build of the trust page replaces
 * `openpgp/packet/library-key.ts` by this module, because the OpenPGP library there is three times as large as the whole page.
 */
import type { libraryFacts as byLibrary } from "../../openpgp/packet/library-key.ts";
import { limits } from "../../openpgp/packet/limits.ts";
import { readIntegers } from "../../openpgp/packet/mpi.ts";
import { algorithm } from "../../openpgp/packet/native-key.ts";

/** The elliptic curves, by their object identifiers (RFC 9580 section 9.2). */
const curves: Readonly<Record<string, { readonly curve: string; readonly bits: number; readonly octets: number }>> = {
  "2a8648ce3d030107": { curve: "nistP256", bits: 256, octets: 32 },
  "2b81040022": { curve: "nistP384", bits: 384, octets: 48 },
  "2b81040023": { curve: "nistP521", bits: 521, octets: 66 },
  "2b8104000a": { curve: "secp256k1", bits: 256, octets: 32 },
  "2b2403030208010107": { curve: "brainpoolP256r1", bits: 256, octets: 32 },
  "2b240303020801010b": { curve: "brainpoolP384r1", bits: 384, octets: 48 },
  "2b240303020801010d": { curve: "brainpoolP512r1", bits: 512, octets: 64 },
};

/** Returns the same facts as the function with this name in the replaced module. */
export const libraryFacts: typeof byLibrary = async (body) => {
  const version = body[0];
  const material = body.subarray(version === 6 ? 10 : 6);
  if (body[5] === algorithm.ecdsa) return ellipticFacts(material);
  return body[5] === algorithm.dsa ? dsaFacts(material) : undefined;
};

function ellipticFacts(material: Uint8Array) {
  const length = material[0] ?? 0;
  const known = curves[Buffer.from(material.subarray(1, 1 + length)).toString("hex")];
  const [point] = readIntegers(material.subarray(1 + length), 1, "exact") ?? [];
  if (known === undefined || point?.bytes.length !== 1 + 2 * known.octets) return undefined;
  return { algorithm: "ecdsa", bits: known.bits, curve: known.curve };
}

function dsaFacts(material: Uint8Array) {
  const numbers = readIntegers(material, 4, "exact");
  const [p, q] = numbers ?? [];
  if (p === undefined || q === undefined) return undefined;
  const isSlow = p.bytes.length * 8 > limits.dsaBits || q.bytes.length * 8 > limits.dsaGroupBits;
  return isSlow || numbers?.some(({ bytes }) => bytes.length > p.bytes.length)
    ? undefined
    : { algorithm: "dsa", bits: p.bits };
}
