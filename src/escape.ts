// Control characters (C0, DEL, C1), line and paragraph separators, surrogates, and the marks that reorder or hide text. In a
// user ID or a file name, these characters could move the cursor or disguise a line.
const dangerous = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * Makes untrusted text safe to print on one line of a terminal: replaces each dangerous character by an escape such as `\x1b`
 * or `\u{202e}`.
 */
export function escapeText(text: string): string {
  return text.replace(dangerous, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return point < 0x100 ? `\\x${point.toString(16).padStart(2, "0")}` : `\\u{${point.toString(16)}}`;
  });
}

/** Makes untrusted text of several lines safe to print. Keeps the line feeds. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}

/**
 * Makes a JSON text safe to print without changing its values: replaces each dangerous character by a JSON escape such as `\u001b`.
 */
export function escapeJson(json: string): string {
  return json.replace(dangerous, (character) => {
    return character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
