/** Our lines in another program's file, between two marks. They come first, so that the rest stays as it is. */

const begin = "# feedkey: begin";
const end = "# feedkey: end";

export interface Divided {
  /** Our lines with their marks; undefined if there are none. */
  readonly block: string | undefined;
  /** All others, exactly as they are. */
  readonly rest: string;
}

/** A block of lines, with its marks. */
export function makeBlock(note: string, lines: readonly string[]): string {
  return [`${begin} (${note})`, ...lines, end, ""].join("\n");
}

/**
 * Takes a file apart.
 * @returns undefined if the marks are not a pair: somebody has changed them
 */
export function divide(text: string): Divided | undefined {
  const marks = text.match(/^# feedkey: (?:begin|end)\b.*$/gm) ?? [];
  if (marks.length === 0) return { block: undefined, rest: text };
  const found = /^# feedkey: begin\b.*\n(?:[^\n]*\n)*?# feedkey: end\n/m.exec(text);
  if (marks.length !== 2 || found === null) return undefined;
  const [block] = found;
  return { block, rest: text.slice(0, found.index) + text.slice(found.index + block.length) };
}
