/**
 * Makes tables and lists for people. On a terminal, rows fit its width; in a file or pipe, each row is one line, for programs
 * such as grep.
 */
import Table from "cli-table3";
import { largest } from "../extremes.ts";

let width = Number.POSITIVE_INFINITY;

/** Sets the width of tables and lists to that of the terminal; if the stream is not a terminal, the width has no limit. */
export function fitTablesTo({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): void {
  width = isTTY === true ? Math.max(columns ?? 0, 80) : Number.POSITIVE_INFINITY;
}

/** The indentation of a line that continues the line above. */
export const indent = "    ";
const gap = "  ";

const noLines = Object.fromEntries(
  ["top", "bottom", "left", "mid", "right"].flatMap((side) =>
    ["", "-mid", "-left", "-right"].map((corner) => [`${side}${corner}`, ""]),
  ),
);

function aligned(rows: readonly (readonly string[])[]): string[] {
  const shown = new Table({
    chars: { ...noLines, middle: gap },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const row of rows) shown.push([...row]);
  return shown.toString().split("\n");
}

/** Distributes the columns of a table over as many lines as a row needs. @returns the numbers of the columns on each line */
function columnsByLine(rows: readonly (readonly string[])[]): number[][] {
  const lines: number[][] = [];
  let used = 0;
  for (let column = 0; column < (rows[0]?.length ?? 0); column++) {
    const needed = largest(rows.map((row) => row[column]?.length ?? 0)) + gap.length;
    const last = lines.at(-1);
    if (last !== undefined && used + needed - gap.length <= width) last.push(column);
    else {
      used = lines.length === 0 ? 0 : indent.length;
      lines.push([column]);
    }
    used += needed;
  }
  return lines;
}

/**
 * Returns a table with aligned columns and no borders. Columns that do not fit on the first line of a row follow on further,
 * indented lines.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const parts = columnsByLine(all).map((columns) => aligned(all.map((row) => columns.map((at) => row[at] ?? ""))));
  return all
    .flatMap((_, row) => parts.map((lines, part) => `${part === 0 ? "" : indent}${lines[row] ?? ""}`.trimEnd()))
    .filter((line) => line !== "")
    .join("\n");
}

/**
 * Returns words with commas between them, on as many lines as they need.
 * @param start the text at the start of the first line
 */
export function folded(start: string, words: readonly string[]): string {
  const lines = [start];
  words.forEach((word, at) => {
    const piece = `${word}${at < words.length - 1 ? "," : ""}`;
    const line = lines.at(-1) ?? "";
    if (line.length + 1 + piece.length <= width) lines[lines.length - 1] = `${line} ${piece}`;
    else lines.push(`${indent}${piece}`);
  });
  return lines.join("\n");
}
