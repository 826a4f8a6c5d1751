/** Changes one line in a configuration file and leaves all other lines as they are. */
import { encodeValue } from "./ini.ts";

/**
 * Replaces the value of a key in the text of a configuration file; a comment after the value stays. If the section does not have the key,
 * the text stays unchanged.
 */
export function withValue(text: string, section: string, key: string, value: string): string {
  let current = "";
  return text
    .split("\n")
    .map((line) => {
      current = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim() ?? current;
      const [, name] = /^\s*([A-Za-z0-9_.-]+)[ \t]*=/.exec(line) ?? [];
      if (current !== section || name !== key) return line;
      return line.replace(/(=\s*)([^;#]*?)(\s*(?:[;#].*)?\r?)$/, (_, start: string, old: string, end: string) => {
        if (old !== "") return `${start}${encodeValue(value)}${end}`;
        // In this file format, a comment after a value begins with a space.
        return `= ${encodeValue(value)}${end.trim() === "" ? end : ` ${end}`}`;
      });
    })
    .join("\n");
}
