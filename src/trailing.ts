/**
 * Text without what trails at its end. Regular expressions such as `/[ \t]+$/` start again at each of the blanks: on a long run of
 * them that does not end the line they take the square of its length.
 */

const space = 0x20;
const tab = 0x09;

/** The text without those of these characters that end it. */
export function withoutTrailing(text: string, characters = " \t"): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Where a line of bytes ends if the spaces and tabs at its end do not count. @param end offset behind its last byte */
export function endOfInk(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === space || bytes[at - 1] === tab)) at--;
  return at;
}
