/**
 * Checks the unsigned parts of a signature packet, and the encoding of the packet's numbers. No signature protects these bytes, so
 * anyone could change a signature file unnoticed. To prevent such changes, feedkey accepts only one form of these bytes in
 * signatures over data (T8).
 */
import type { LoadedKey } from "./key-packet.ts";
import { readIntegers } from "./mpi.ts";
import type { RawSignature } from "./raw-signature.ts";
import { hex, readSubpackets } from "./subpackets.ts";

const issuerKeyId = 16;
const issuerFingerprint = 33;

/** The number of multiprecision integers in a signature, by public-key algorithm (RFC 9580 section 5.2.3). */
const integers: Readonly<Record<number, number>> = { 1: 1, 3: 1, 17: 2, 19: 2, 22: 2 };
/** The number of octets in a signature, for algorithms that do not use multiprecision integers. */
const plainOctets: Readonly<Record<number, number>> = { 27: 64, 28: 114 };

/**
 * Checks that the unsigned parts of a packet have the only accepted form.
 * @returns the problem with these parts; undefined if they have the accepted form
 */
export function refuseLooseEnds(
  { body, version, hashedPart, numbers }: RawSignature,
  maker: LoadedKey,
): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const start = hashedPart.length + (version === 6 ? 4 : 2);
  const end = start + bytes.readUIntBE(hashedPart.length, start - hashedPart.length);
  if (!namesNobodyElse(body.subarray(start, end), maker)) {
    return "its unsigned part contains something other than the name of the signing key";
  }
  return hasOneSpelling(numbers, bytes[2] ?? 0) ? undefined : "its numbers are not in their canonical form";
}

function namesNobodyElse(area: Uint8Array, { facts }: LoadedKey): boolean {
  const versioned = `${facts.version.toString(16).padStart(2, "0")}${facts.fingerprint}`;
  const expected = new Map([
    [issuerKeyId, facts.keyId],
    [issuerFingerprint, versioned.toUpperCase()],
  ]);
  return readSubpackets(area).every(({ type, critical, body }) => {
    const right = !critical && expected.get(type) === hex(body);
    // Each subpacket may appear only once.
    expected.delete(type);
    return right;
  });
}

/**
 * Whether every integer is in canonical form. In this form, the length counts from the most significant bit that is set (RFC 9580
 * section 3.2).
 */
function hasOneSpelling(numbers: Uint8Array, algorithm: number): boolean {
  const count = integers[algorithm];
  if (count === undefined) return numbers.length === plainOctets[algorithm];
  return readIntegers(numbers, count, "exact") !== undefined;
}
