/** XXH64 with seed 0, the checksum of zstd frames (RFC 8878 section 3.1.1; the xxHash fast digest algorithm, section 3). */

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

/** The 64-bit hash of the bytes. It finds damage, not malice. */
export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let position = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    let [a, b, c, d] = [low64(PRIME1 + PRIME2), PRIME2, 0n, low64(-PRIME1)];
    for (; position + 32 <= bytes.length; position += 32) {
      a = round(a, view.getBigUint64(position, true));
      b = round(b, view.getBigUint64(position + 8, true));
      c = round(c, view.getBigUint64(position + 16, true));
      d = round(d, view.getBigUint64(position + 24, true));
    }
    hash = low64(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    for (const lane of [a, b, c, d]) hash = low64((hash ^ round(0n, lane)) * PRIME1 + PRIME4);
  } else {
    hash = PRIME5;
  }
  hash = low64(hash + BigInt(bytes.length));
  for (; position + 8 <= bytes.length; position += 8) {
    hash = low64(rotate(hash ^ round(0n, view.getBigUint64(position, true)), 27n) * PRIME1 + PRIME4);
  }
  if (position + 4 <= bytes.length) {
    hash = low64(rotate(hash ^ low64(BigInt(view.getUint32(position, true)) * PRIME1), 23n) * PRIME2 + PRIME3);
    position += 4;
  }
  for (; position < bytes.length; position += 1) {
    hash = low64(rotate(hash ^ low64(BigInt(view.getUint8(position)) * PRIME5), 11n) * PRIME1);
  }
  hash = low64((hash ^ (hash >> 33n)) * PRIME2);
  hash = low64((hash ^ (hash >> 29n)) * PRIME3);
  return hash ^ (hash >> 32n);
}

function round(lane: bigint, input: bigint): bigint {
  return low64(rotate(low64(lane + low64(input * PRIME2)), 31n) * PRIME1);
}

function rotate(value: bigint, count: bigint): bigint {
  return low64((value << count) | (value >> (64n - count)));
}

function low64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
