/**
 * Searches text four bytes at a time, by arithmetic on 32-bit words. The arithmetic sets the highest bit in each byte that meets a
 * condition, and clears all other bits (Hacker's Delight, sections 6-1 and 6-2). A search byte by byte would be much slower
 * (`docs/performance.md`).
 */

const high = 0x80808080 | 0;

/**
 * Returns the offset of the first newline at or after `at`; `to` if there is no newline before `to`.
 * @param at offset in bytes
 * @param to offset in bytes, at most the view's length
 */
export function lineEnd(view: DataView, at: number, to: number): number {
  let place = at;
  while (place + 4 <= to) {
    const word = view.getInt32(place, true) ^ 0x0a0a0a0a;
    // The arithmetic marks the lowest zero byte correctly, but may mark higher bytes wrongly. So the code uses only the lowest
    // mark.
    const zero = (word - 0x01010101) & ~word & high;
    if (zero !== 0) return place + ((31 - Math.clz32(zero & -zero)) >> 3);
    place += 4;
  }
  while (place < to && view.getUint8(place) !== 0x0a) place++;
  return place;
}

/** Whether all bytes are hex digits, in either case. @param length in bytes, a multiple of four, within the view */
export function isHex(view: DataView, at: number, length: number): boolean {
  let all = high;
  for (let place = at; place < at + length; place += 4) {
    const word = view.getInt32(place, true);
    const lower = word | 0x20202020;
    // For a byte below 0x80, the addition does not carry into the next byte. The mask at the end removes bytes of 0x80 and above.
    const digit = (word + 0x50505050) & ~(word + 0x46464646);
    const letter = (lower + 0x1f1f1f1f) & ~(lower + 0x19191919);
    all &= (digit | letter) & ~word;
  }
  return all === high;
}

/** Whether a text has the same bytes at two offsets. All bytes must be within the view. @param length in bytes */
export function isSame(view: DataView, at: number, other: number, length: number): boolean {
  let place = 0;
  for (; place + 4 <= length; place += 4) {
    if (view.getInt32(at + place) !== view.getInt32(other + place)) return false;
  }
  for (; place < length; place++) if (view.getUint8(at + place) !== view.getUint8(other + place)) return false;
  return true;
}
