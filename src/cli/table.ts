/** Tables and lists for people, as wide as a terminal has columns where nobody chose. */
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

/** The columns that fit on one line, then those on the next, and so on. */
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
 * A table without lines, columns aligned by what a terminal shows. Columns that do not fit beside the first ones go on in a
 * second line of each row, indented.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const parts = columnsByLine(all).map((columns) => aligned(all.map((row) => columns.map((at) => row[at] ?? ""))));
  return all
    .flatMap((_, row) => parts.map((lines, part) => `${part === 0 ? "" : indent}${lines[row] ?? ""}`.trimEnd()))
    .filter((line) => line !== "")
    .join("\n");
}

/** Words with commas between them, over as many lines as they need. @param start what the first line begins with */
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
