/**
 * Removes trailing characters. A regular expression such as `/[ \t]+$/` takes quadratic time for a long run of spaces that is
 * not at the end.
 */

const space = 0x20;
const tab = 0x09;

/** Returns the text without these characters at its end. */
export function withoutTrailing(text: string, characters = " \t"): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Returns the offset after the last byte of a line that is not a space or a tab. @param end offset after the line's last byte */
export function endOfInk(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === space || bytes[at - 1] === tab)) at--;
  return at;
}
