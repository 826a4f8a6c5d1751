/** Reads and writes multiprecision integers (RFC 9580 section 3.2): first the number of bits in two octets, then the number itself. */

interface Integer {
  readonly bits: number;
  readonly bytes: Uint8Array;
  /** The offset of the first octet after the integer. */
  readonly end: number;
}

/**
 * Reads the integer at an offset.
 * @param form `exact` accepts only the canonical form, in which the bit count starts at the most significant set bit
 * @returns undefined if the integer is cut off, or does not have the wanted form
 */
export function readInteger(bytes: Uint8Array, at: number, form: "exact" | "any"): Integer | undefined {
  if (at + 2 > bytes.length) return undefined;
  const bits = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const end = at + 2 + ((bits + 7) >> 3);
  if (end > bytes.length) return undefined;
  const number = bytes.subarray(at + 2, end);
  if (form === "exact" && bits !== number.length * 8 - (Math.clz32(number[0] ?? 0) - 24)) return undefined;
  return { bits, bytes: number, end };
}

/** Reads the given number of integers. @returns undefined if an integer is unreadable, or octets follow the last integer */
export function readIntegers(bytes: Uint8Array, count: number, form: "exact" | "any"): Integer[] | undefined {
  const found: Integer[] = [];
  for (let at = 0; found.length < count; ) {
    const integer = readInteger(bytes, at, form);
    if (integer === undefined) return undefined;
    found.push(integer);
    at = integer.end;
  }
  return found.at(-1)?.end === bytes.length ? found : undefined;
}

/** Writes an integer in canonical form. @param number the integer, most significant octet first, with or without leading zeros */
export function writeInteger(number: Uint8Array): Uint8Array {
  const start = number.findIndex((octet) => octet !== 0);
  const bytes = start === -1 ? new Uint8Array() : number.subarray(start);
  const bits = bytes.length === 0 ? 0 : bytes.length * 8 - (Math.clz32(bytes[0] ?? 0) - 24);
  return Buffer.concat([Buffer.of(bits >> 8, bits & 0xff), bytes]);
}
