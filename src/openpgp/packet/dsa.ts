/** Checks DSA signatures over a digest (FIPS 186-4 section 4.7), for hash algorithms that OpenSSL does not allow with DSA. */

interface Numbers {
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly g: Uint8Array;
  readonly y: Uint8Array;
}

/** Reads a big-endian number. */
export const toBigInt = (bytes: Uint8Array) => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);

/** Returns `base ** exponent % modulus`. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, rest = exponent; rest > 0n; square = (square * square) % modulus, rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
  }
  return result;
}

/** The sizes of q that OpenSSL accepts, in octets. */
const groupOctets = [20, 28, 32];

/**
 * Whether two numbers are a valid signature by a key over a digest.
 * @param key the numbers of the public key, each in its shortest form
 * @param value the numbers r and s, each as long as q
 */
export function isDsaSignature(key: Numbers, digest: Uint8Array, value: Uint8Array): boolean {
  const octets = key.q.length;
  if (!groupOctets.includes(octets) || (key.q[0] ?? 0) < 0x80) return false;
  const [p, q, g, y] = [toBigInt(key.p), toBigInt(key.q), toBigInt(key.g), toBigInt(key.y)];
  const [r, s] = [toBigInt(value.subarray(0, octets)), toBigInt(value.subarray(octets))];
  if (r === 0n || s === 0n || r >= q || s >= q) return false;
  // q is prime, so s^(q-2) is the inverse of s modulo q.
  const inverse = power(s, q - 2n, q);
  const hashed = toBigInt(digest.subarray(0, octets));
  const raised = power(g, (hashed * inverse) % q, p) * power(y, (r * inverse) % q, p);
  return (raised % p) % q === r;
}
