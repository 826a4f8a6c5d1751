/**
 * Computes the numbers of an RSA or EdDSA signature over a digest, with Node's own cryptography. The OpenPGP library would need the
 * whole document, and would copy the document three times for RSA. `test/openpgp/native-signer.test.ts` compares both ways of signing.
 */
import { constants, createPrivateKey, type JsonWebKey, privateEncrypt, sign } from "node:crypto";
import { digestInfo } from "../packet/digest-info.ts";
import { writeInteger } from "../packet/mpi.ts";
import { algorithm, base64url } from "../packet/native-key.ts";

/** An unlocked key in the form of the OpenPGP library: the key's algorithm, and its numbers by name. */
interface UnlockedKey {
  readonly algorithm: number;
  readonly publicParams: object | null;
  readonly privateParams: object | null;
}

/**
 * Computes the numbers at the end of a signature packet (RFC 9580 sections 5.2.3.1, 5.2.3.3, 5.2.3.4).
 * @param hash Node's name for the hash algorithm of the digest
 * @returns undefined for any other kind of key, because only the OpenPGP library can sign with it
 */
export function signDigest(key: UnlockedKey, hash: string, digest: Uint8Array): Uint8Array | undefined {
  const params = { ...key.publicParams, ...key.privateParams } as Readonly<Record<string, unknown>>;
  const part = (name: string) => {
    const value = params[name];
    return value instanceof Uint8Array ? value : new Uint8Array();
  };
  if (key.algorithm === algorithm.rsa || key.algorithm === algorithm.rsaSign) return rsaSignature(part, hash, digest);
  const seed = part("seed");
  if (seed.length !== 32) return undefined;
  // The code skips the first octet of Q: it is 0x40, the prefix of a point in EdDSA's native format.
  if (key.algorithm === algorithm.eddsaLegacy) return edwardsSignature(seed, part("Q").subarray(1), digest, true);
  return key.algorithm === algorithm.ed25519 ? edwardsSignature(seed, part("A"), digest, false) : undefined;
}

function rsaSignature(part: (name: string) => Uint8Array, hash: string, digest: Uint8Array): Uint8Array | undefined {
  const info = digestInfo[hash];
  if (info === undefined) return undefined;
  const [d, p, q] = ["d", "p", "q"].map((name) => BigInt(`0x${Buffer.from(part(name)).toString("hex")}`));
  if (d === undefined || p === undefined || q === undefined) return undefined;
  const length = part("p").length;
  const number = (value: bigint) => base64url(Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex"));
  // OpenPGP stores the inverse of p modulo q, but a JWK stores the inverse of q modulo p. So the code swaps p and q.
  const jwk: JsonWebKey = {
    kty: "RSA",
    n: base64url(part("n")),
    e: base64url(part("e")),
    d: base64url(part("d")),
    p: base64url(part("q")),
    q: base64url(part("p")),
    dp: number(d % (q - 1n)),
    dq: number(d % (p - 1n)),
    qi: base64url(part("u")),
  };
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const encoded = Buffer.concat([Buffer.from(info, "hex"), digest]);
  return writeInteger(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encoded));
}

function edwardsSignature(seed: Uint8Array, point: Uint8Array, digest: Uint8Array, asIntegers: boolean): Uint8Array {
  const jwk: JsonWebKey = { kty: "OKP", crv: "Ed25519", d: base64url(seed), x: base64url(point) };
  const value = sign(null, digest, createPrivateKey({ key: jwk, format: "jwk" }));
  if (!asIntegers) return value;
  return Buffer.concat([writeInteger(value.subarray(0, 32)), writeInteger(value.subarray(32))]);
}
