/** What was measured, in columns. */
import type { Measured } from "./measure.ts";

const inSeconds = (value: number) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`);
const inMegabytes = (value: number) => `${Math.round(value / 1024)} MB`;

/** The first one is ours: each other's figure is followed by how many times ours it is. */
function row(one: Measured, ours: Measured | undefined): string[] {
  const show = (value: number | undefined, base: number | undefined, form: (value: number) => string) => {
    if (value === undefined) return ["-", ""];
    return [form(value), base === undefined || one === ours ? "" : `x ${(value / base).toFixed(2)}`];
  };
  return [one.name, ...show(one.seconds, ours?.seconds, inSeconds), ...show(one.peakKiB, ours?.peakKiB, inMegabytes)];
}

/** One measurement as a table: name, time, its ratio to the first, peak memory, its ratio to the first. */
export function table(title: string, measured: readonly Measured[]): string {
  const head = ["", "time", "", "memory", ""];
  const rows = [head, ...measured.map((one) => row(one, measured[0]))];
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
  const lines = rows.map((cells) => {
    return cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  });
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}
