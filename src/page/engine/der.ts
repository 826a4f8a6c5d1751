/** Reads DER (X.690) as `openpgp/packet/native-key.ts` writes it. */

/** @returns the first value with its head, and what follows it */
function split(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const [, short = 0, first = 0, second = 0] = bytes;
  const head = short < 0x80 ? 2 : short === 0x81 ? 3 : 4;
  const length = short < 0x80 ? short : short === 0x81 ? first : (first << 8) | second;
  if (short > 0x82 || head + length > bytes.length) throw new Error("not DER");
  return [bytes.subarray(0, head + length), bytes.subarray(head + length)];
}

/** The values in the content of a sequence, each with its head. @throws Error if it is not DER */
export function partsOf(content: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let rest = content; rest.length > 0; ) {
    const [part, others] = split(rest);
    parts.push(part);
    rest = others;
  }
  return parts;
}

/** The content of a value. @throws Error if there is none, or it has another tag */
export function octetsOf(value: Uint8Array | undefined, tag: number): Uint8Array {
  if (value?.[0] !== tag) throw new Error("not the expected DER");
  const [, short = 0] = value;
  return value.subarray(short < 0x80 ? 2 : short === 0x81 ? 3 : 4);
}
