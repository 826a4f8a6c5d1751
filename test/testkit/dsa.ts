/** DSA (FIPS 186-4 section 4.6) without chance: node's own would sign differently on each run. */
import { createHash } from "node:crypto";
import { concat, mpi } from "./framing.ts";

const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
const toBytes = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = base % modulus, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus) {
    if ((e & 1n) === 1n) result = (result * b) % modulus;
  }
  return result;
}

/** A signing function for a test key with a 256-bit q; the nonce is derived from key and message. */
export function dsaSigner(open: readonly Uint8Array[], secret: readonly Uint8Array[]) {
  const [p = 0n, q = 0n, g = 0n] = open.map(toBigInt);
  const [x = 0n] = secret.map(toBigInt);
  return (hash: string, bytes: Uint8Array): Uint8Array => {
    const digest = createHash(hash).update(bytes).digest();
    const k = (toBigInt(createHash("sha512").update(toBytes(x)).update(digest).digest()) % (q - 1n)) + 1n;
    const r = power(g, k, p) % q;
    // q is prime: k^(q-2) is the inverse of k.
    const s = (power(k, q - 2n, q) * ((toBigInt(digest.subarray(0, 32)) % q) + x * r)) % q;
    return concat(mpi(toBytes(r)), mpi(toBytes(s)));
  };
}
