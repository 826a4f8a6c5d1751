/**
 * Reads and writes pkg_summary texts without loss, for edits: all pieces together are exactly the text. To look up packages,
 * use `summary-text.ts`, which does not create an object for each variable.
 */
import { FeedkeyError } from "../../error.ts";
import { asBuffer, indexText, maxLineLength, maxStanzaLength } from "../line-cursor.ts";
import { SummaryCursor } from "./summary-cursor.ts";

export interface SummaryVariable {
  readonly name: string;
  /** Everything after the equals sign, byte for byte. */
  readonly value: Uint8Array;
}

export interface SummaryStanza {
  readonly kind: "stanza";
  readonly bytes: Uint8Array;
  /** Line number of the first variable, counted from 1. Each further variable is on the next line. */
  readonly line: number;
  /** The stanza's variables, at least one. */
  readonly variables: readonly SummaryVariable[];
  /** Whether the last line ends in a newline. */
  readonly terminated: boolean;
}

/** Empty lines before, between or after stanzas. */
interface BlankLines {
  readonly kind: "blank";
  readonly bytes: Uint8Array;
  readonly line: number;
}

export type SummaryPiece = SummaryStanza | BlankLines;

/**
 * Yields the pieces of a whole text. Checks only the grammar of lines; `summary-text.ts` checks what a summary must contain.
 * The pieces share the text's memory.
 * @throws FeedkeyError with the code of `kind`, and the line, when the reader reaches a malformed line
 */
export function* readSummary(bytes: Uint8Array, kind = indexText): Generator<SummaryPiece, void> {
  const cursor = new SummaryCursor(bytes, kind);
  let more = cursor.next();
  while (more) {
    const { start, line } = cursor;
    const blank = cursor.kind === "blank";
    const variables: SummaryVariable[] = [];
    let end = start;
    while (more && (cursor.kind === "blank") === blank) {
      if (!blank) {
        const name = cursor.bytes.toString("latin1", cursor.start, cursor.equals);
        variables.push({ name, value: cursor.bytes.subarray(cursor.equals + 1, cursor.end) });
      }
      end = cursor.end + 1;
      more = cursor.next();
    }
    const terminated = end <= cursor.bytes.length;
    const text = cursor.bytes.subarray(start, end);
    if (!blank && text.length > maxStanzaLength) {
      throw cursor.error(`begins a stanza longer than ${maxStanzaLength} bytes`, line);
    }
    yield blank ? { kind: "blank", bytes: text, line } : { kind: "stanza", bytes: text, line, variables, terminated };
  }
}

/**
 * Returns the bytes of a stanza.
 * @throws FeedkeyError `bad_package` for a name or a value that a reader would not read back unchanged
 */
export function writeSummaryStanza({ variables, terminated }: Pick<SummaryStanza, "variables" | "terminated">): Buffer {
  const lines: string[] = [];
  for (const { name, value } of variables) {
    // latin1 has one character for each byte, so a text in any encoding stays unchanged.
    const line = `${name}=${asBuffer(value).toString("latin1")}`;
    const problem = /^[A-Z0-9_]+$/.test(name)
      ? /[\0\r\n]/.test(line)
        ? "its value contains a line break or a NUL"
        : line.length > maxLineLength && `its name and value have more than ${maxLineLength} bytes`
      : "its name contains other characters than upper-case letters, digits and underscores";
    if (problem !== false) {
      throw new FeedkeyError("bad_package", `variable "${name}" can't be written into a summary: ${problem}`, {
        details: { variable: name },
        hint: "correct this variable where the package is built, and build the package again",
      });
    }
    lines.push(line);
  }
  return Buffer.from(`${lines.join("\n")}${terminated ? "\n" : ""}`, "latin1");
}
