/** Public keys for browsers: RSA and DSA are computed with big integers, elliptic curves with a library. */
import { ed448 } from "@noble/curves/ed448.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { brainpoolP256r1, brainpoolP384r1, brainpoolP512r1 } from "@noble/curves/misc.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { digestInfo } from "../../openpgp/packet/digest-info.ts";
import { isDsaSignature, power, toBigInt } from "../../openpgp/packet/dsa.ts";
import { octetsOf, partsOf } from "./der.ts";

/** A public key that verifies signatures over a digest; if the hash is `null`, over the data itself. */
export interface PublicKey {
  verify(hash: string | null, signed: Uint8Array, value: Uint8Array): boolean;
}

interface JsonKey {
  readonly kty: string;
  readonly crv?: string;
  readonly n?: string;
  readonly e?: string;
  readonly x?: string;
}

type Input =
  | { readonly key: JsonKey; readonly format: "jwk" }
  | { readonly key: Uint8Array; readonly format: "der"; readonly type: "spki" };

const refused = () => new Error("a key that can't be used");

/**
 * Makes a public key.
 * @throws Error if the kind of key is not supported, or one of the key's numbers can't be used
 */
export function publicKeyOf(input: Input): PublicKey {
  if (input.format === "der") return spkiKey(input.key);
  const { kty, crv, n, e, x } = input.key;
  if (kty === "RSA" && n !== undefined && e !== undefined) return rsaKey(fromBase64url(n), fromBase64url(e));
  if (x === undefined) throw refused();
  if (crv === "Ed25519") return edwardsKey(ed25519, fromBase64url(x));
  if (crv === "Ed448") return edwardsKey(ed448, fromBase64url(x));
  throw refused();
}

function fromBase64url(text: string): Uint8Array {
  return Buffer.from(text.replaceAll("-", "+").replaceAll("_", "/"), "base64");
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Makes an EdDSA key. It accepts only one encoding of each point (strict RFC 8032), as OpenSSL does. */
function edwardsKey(curve: typeof ed25519 | typeof ed448, point: Uint8Array): PublicKey {
  return { verify: (_hash, signed, value) => curve.verify(value, signed, point, { zip215: false }) };
}

/**
 * Makes an RSA key. To verify a signature, it makes the expected EMSA-PKCS1-v1_5 encoding and compares it as a whole, so that it need not
 * parse anything in the signature.
 */
function rsaKey(modulus: Uint8Array, exponent: Uint8Array): PublicKey {
  const [n, e] = [toBigInt(modulus), toBigInt(exponent)];
  return {
    verify(hash, signed, value) {
      const head = digestInfo[hash ?? ""];
      const number = toBigInt(value);
      if (head === undefined || value.length !== modulus.length || number >= n) return false;
      const digest = head + hexOf(signed);
      const padding = modulus.length - 3 - digest.length / 2;
      if (padding < 8) return false;
      return power(number, e, n) === BigInt(`0x0001${"ff".repeat(padding)}00${digest}`);
    },
  };
}

const curves: Readonly<Record<string, typeof p256>> = {
  "2a8648ce3d030107": p256,
  "2b81040022": p384,
  "2b81040023": p521,
  "2b8104000a": secp256k1,
  "2b2403030208010107": brainpoolP256r1,
  "2b240303020801010b": brainpoolP384r1,
  "2b240303020801010d": brainpoolP512r1,
};

/** Makes a key from a SubjectPublicKeyInfo (RFC 5280 section 4.1) for ECDSA or DSA. */
function spkiKey(bytes: Uint8Array): PublicKey {
  const [identifier, bits] = partsOf(octetsOf(bytes, 0x30));
  const [name, parameters] = partsOf(octetsOf(identifier, 0x30));
  // The first octet of a bit string is the number of unused bits in the last octet; here it is zero.
  const key = octetsOf(bits, 0x03).subarray(1);
  const algorithm = hexOf(octetsOf(name, 0x06));
  if (algorithm === "2a8648ce3d0201") return ellipticKey(hexOf(octetsOf(parameters, 0x06)), key);
  if (algorithm !== "2a8648ce380401") throw refused();
  const [p, q, g] = partsOf(octetsOf(parameters, 0x30)).map(unsigned);
  if (p === undefined || q === undefined || g === undefined) throw refused();
  const numbers = { p, q, g, y: unsigned(key) };
  return { verify: (_hash, signed, value) => isDsaSignature(numbers, signed, value) };
}

function unsigned(integer: Uint8Array): Uint8Array {
  const octets = octetsOf(integer, 0x02);
  return octets[0] === 0 ? octets.subarray(1) : octets;
}

function ellipticKey(name: string, point: Uint8Array): PublicKey {
  const curve = curves[name];
  if (curve === undefined) throw refused();
  curve.Point.fromBytes(point).assertValidity();
  const terms = { prehash: false, lowS: false, format: "compact" } as const;
  return {
    verify: (_hash, signed, value) => curve.verify(value, signed, point, terms),
  };
}
