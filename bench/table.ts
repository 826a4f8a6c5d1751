/** Prints the results in columns. */
import type { Measured } from "./measure.ts";

export const inSeconds = (value: number) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`);
export const inMegabytes = (value: number) => `${Math.round(value / 1024)} MB`;

/** The first row is feedkey's; the figures of the others are followed by their ratio to it. */
function row(one: Measured, ours: Measured | undefined): string[] {
  const show = (value: number | undefined, base: number | undefined, form: (value: number) => string) => {
    if (value === undefined) return ["-", ""];
    return [form(value), base === undefined || one === ours ? "" : `x ${(value / base).toFixed(2)}`];
  };
  return [one.name, ...show(one.seconds, ours?.seconds, inSeconds), ...show(one.peakKiB, ours?.peakKiB, inMegabytes)];
}

function widths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
}

/** One measurement as a table: name, time, its ratio to the first, peak memory, its ratio to the first. */
export function table(title: string, measured: readonly Measured[]): string {
  const rows = [["", "time", "", "memory", ""], ...measured.map((one) => row(one, measured[0]))];
  const wide = widths(rows);
  const lines = rows.map((cells) => {
    return cells
      .map((cell, column) => (column === 0 ? cell.padEnd(wide[column] ?? 0) : cell.padStart(wide[column] ?? 0)))
      .join("  ")
      .trimEnd();
  });
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** A Markdown table with aligned columns. */
export function alignedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const wide = widths([head, ...rows]);
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(wide[at] ?? 0)).join(" | ")} |`;
  return [line(head), `|${wide.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)].join("\n");
}
