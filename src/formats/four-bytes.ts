/**
 * Searches text four bytes at a time, by arithmetic on 32-bit words. The arithmetic sets the highest bit in each byte that meets a
 * condition, and clears all other bits (Hacker's Delight, sections 6-1 and 6-2). This is much faster than a search byte by byte
 * (`docs/performance.md`).
 */

const high = 0x80808080 | 0;

/**
 * Returns the offset of the first newline from `at` on; `to` if no newline is before `to`.
 * @param at offset in bytes
 * @param to offset in bytes, at most the view's length
 */
export function lineEnd(view: DataView, at: number, to: number): number {
  let place = at;
  while (place + 4 <= to) {
    const word = view.getInt32(place, true) ^ 0x0a0a0a0a;
    // The arithmetic marks the lowest zero byte correctly, but may also mark higher bytes wrongly. So only the lowest
    // mark is used.
    const zero = (word - 0x01010101) & ~word & high;
    if (zero !== 0) return place + ((31 - Math.clz32(zero & -zero)) >> 3);
    place += 4;
  }
  while (place < to && view.getUint8(place) !== 0x0a) place++;
  return place;
}

/** Tells whether all bytes are hex digits, in either case. @param length in bytes, a multiple of four, within the view */
export function isHex(view: DataView, at: number, length: number): boolean {
  let all = high;
  for (let place = at; place < at + length; place += 4) {
    const word = view.getInt32(place, true);
    const lower = word | 0x20202020;
    // Sums of bytes below 0x80 do not carry into the next byte. Bytes from 0x80 on are masked out at the end.
    const digit = (word + 0x50505050) & ~(word + 0x46464646);
    const letter = (lower + 0x1f1f1f1f) & ~(lower + 0x19191919);
    all &= (digit | letter) & ~word;
  }
  return all === high;
}

/** Tells whether a text has the same bytes at two offsets. All bytes must be within the view. @param length in bytes */
export function isSame(view: DataView, at: number, other: number, length: number): boolean {
  let place = 0;
  for (; place + 4 <= length; place += 4) {
    if (view.getInt32(at + place) !== view.getInt32(other + place)) return false;
  }
  for (; place < length; place++) if (view.getUint8(at + place) !== view.getUint8(other + place)) return false;
  return true;
}
