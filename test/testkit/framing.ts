/**
 * Packets and their parts as bytes (RFC 9580 sections 3 and 4), written here a second time on purpose: what the
 * program's own framing gets wrong, the tests must not get wrong in the same way.
 */

export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
}

/** A big-endian number of so many octets. */
export function octets(value: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = count - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A multiprecision integer: its length in bits, then its octets without leading zeros. */
export function mpi(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? new Uint8Array() : bytes.subarray(start);
  const bits = digits.length === 0 ? 0 : digits.length * 8 - Math.clz32(digits[0] ?? 0) + 24;
  return concat(octets(bits, 2), digits);
}

/** A packet with a new-format header. */
export function framed({ tag, body }: Packet): Uint8Array {
  const { length } = body;
  const size =
    length < 192
      ? [length]
      : length < 8384
        ? [192 + ((length - 192) >> 8), (length - 192) & 0xff]
        : [255, ...octets(length, 4)];
  return concat(Uint8Array.of(0xc0 | tag, ...size), body);
}

export function allFramed(packets: readonly Packet[]): Uint8Array {
  // Not as arguments: there may be hundreds of thousands.
  return new Uint8Array(Buffer.concat(packets.map(framed)));
}

/** An armored block without a checksum, as RFC 9580 section 6.1 prefers it. */
export function armored(kind: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP ${kind}-----\n\n${lines.join("\n")}\n-----END PGP ${kind}-----\n`;
}
