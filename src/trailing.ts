/**
 * Removes blanks at the end of a text. A regular expression such as `/[ \t]+$/` would take quadratic time if the text has a
 * long run of spaces before its end.
 */

const space = 0x20;
const tab = 0x09;

/** Returns a text without the given characters at its end. */
export function withoutTrailing(text: string, characters = " \t"): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Returns the offset at which the trailing spaces and tabs of a line begin. @param end the offset after the line's last byte */
export function endOfInk(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === space || bytes[at - 1] === tab)) at--;
  return at;
}
