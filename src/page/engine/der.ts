/** Reads DER (X.690) in the form that `openpgp/packet/native-key.ts` writes. */

/** Splits bytes into the first value with its header, and the remaining bytes. */
function split(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const [, short = 0, first = 0, second = 0] = bytes;
  const head = short < 0x80 ? 2 : short === 0x81 ? 3 : 4;
  const length = short < 0x80 ? short : short === 0x81 ? first : (first << 8) | second;
  if (short > 0x82 || head + length > bytes.length) throw new Error("not DER");
  return [bytes.subarray(0, head + length), bytes.subarray(head + length)];
}

/**
 * Returns the values inside a sequence, each with its header.
 * @param content the content of the sequence
 * @throws Error if the content is not DER
 */
export function partsOf(content: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let rest = content; rest.length > 0; ) {
    const [part, others] = split(rest);
    parts.push(part);
    rest = others;
  }
  return parts;
}

/** Returns the content of a value. @throws Error if the value is missing or has another tag */
export function octetsOf(value: Uint8Array | undefined, tag: number): Uint8Array {
  if (value?.[0] !== tag) throw new Error("not the expected DER");
  const [, short = 0] = value;
  return value.subarray(short < 0x80 ? 2 : short === 0x81 ? 3 : 4);
}
