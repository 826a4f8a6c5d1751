/**
 * EdDSA signatures, checked by node's own cryptography. The library refuses them over weak hashes whatever it is told,
 * but revocations have to be honoured (T4; `trust/` refuses everything else), and it takes ten times as long for Ed448.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { enums } from "openpgp";
import type { LoadedKey } from "./key-packet.ts";

/** Algorithm-specific numbers, as the library reads them. */
type Numbers = Readonly<Record<string, Uint8Array | undefined>>;

const curves: Readonly<Record<number, { readonly name: string; readonly octets: number }>> = {
  [enums.publicKey.eddsaLegacy]: { name: "Ed25519", octets: 32 },
  [enums.publicKey.ed25519]: { name: "Ed25519", octets: 32 },
  [enums.publicKey.ed448]: { name: "Ed448", octets: 57 },
};

const imported = new WeakMap<LoadedKey, KeyObject>();

/** Whether it is a key of one of the Edwards curves, for EdDSA. */
export function isEdwards({ packet }: LoadedKey): boolean {
  return curves[packet.algorithm] !== undefined;
}

/**
 * The point of a key: bare, or in legacy keys behind the octet that says so (RFC 9580 section 11.2.2).
 * @throws Error where it has another form
 */
function pointOf({ packet }: LoadedKey): Uint8Array {
  const { A, Q } = packet.publicParams as Numbers;
  if (A !== undefined) return A;
  if (Q?.[0] !== 0x40) throw new Error("not a native point");
  return Q.subarray(1);
}

function keyObject(key: LoadedKey): KeyObject {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const jwk = {
    kty: "OKP",
    crv: curves[key.packet.algorithm]?.name ?? "",
    x: Buffer.from(pointOf(key)).toString("base64url"),
  };
  const made = createPublicKey({ key: jwk, format: "jwk" });
  imported.set(key, made);
  return made;
}

/** Legacy numbers lack their leading zeros. */
function padded(number: Uint8Array, octets: number): Uint8Array {
  if (number.length > octets) throw new Error("a number is too long");
  return Buffer.concat([Buffer.alloc(octets - number.length), number]);
}

/**
 * Whether a key made a signature.
 * @param numbers `r` and `s` of a legacy signature, else `RS`
 * @throws Error for a key or numbers that are none
 */
export function isEdwardsSignature(key: LoadedKey, numbers: Numbers, digest: Uint8Array): boolean {
  const octets = curves[key.packet.algorithm]?.octets ?? 0;
  const { r, s, RS } = numbers;
  const value = r !== undefined && s !== undefined ? Buffer.concat([padded(r, octets), padded(s, octets)]) : RS;
  return value !== undefined && verify(null, digest, keyObject(key), value);
}
