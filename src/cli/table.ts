/** Tables for people. */
import Table from "cli-table3";

/** A table without lines, columns aligned by what a terminal shows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const plain = {
    ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "" },
    ...{
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: "  ",
    },
  };
  const shown = new Table({
    head: [...head],
    chars: plain,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const row of rows) shown.push([...row]);
  return shown
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
