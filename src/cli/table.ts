/** Tables and lists for people, for a terminal with the usual width. */
import Table from "cli-table3";
import { largest } from "../extremes.ts";

const terminalWidth = 80;
const indent = "    ";
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

/** Returns the columns that fit on the first line, then the columns for the next line, and so on. */
function columnsByLine(rows: readonly (readonly string[])[]): number[][] {
  const lines: number[][] = [];
  let used = terminalWidth;
  for (let column = 0; column < (rows[0]?.length ?? 0); column++) {
    const width = largest(rows.map((row) => row[column]?.length ?? 0)) + gap.length;
    const last = lines.at(-1);
    if (last !== undefined && used + width - gap.length <= terminalWidth) last.push(column);
    else {
      used = lines.length === 0 ? 0 : indent.length;
      lines.push([column]);
    }
    used += width;
  }
  return lines;
}

/**
 * Returns a table without lines, with aligned columns. Columns that do not fit on the first line of a row continue on more
 * lines, indented.
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
    if (line.length + 1 + piece.length <= terminalWidth) lines[lines.length - 1] = `${line} ${piece}`;
    else lines.push(`${indent}${piece}`);
  });
  return lines.join("\n");
}
