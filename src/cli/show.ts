/** Pieces that several commands show in the same way. */
import Table from "cli-table3";
import type { VerifiedIndex } from "../client/verified-index.ts";
import { iso } from "../time.ts";

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

/** The good signatures of an index, for `--json`. */
export function signaturesJson(index: VerifiedIndex) {
  return index.signers.map(({ certificate, signingKey, createdAt }) => {
    return { createdAt: iso(createdAt), certificate, signingKey };
  });
}

/** `signed 2026-11-23T12:00:00Z by FINGERPRINT`. */
export function signedBy(index: VerifiedIndex): string {
  const names = [...new Set(index.signers.map(({ certificate }) => certificate))].join(", ");
  return `signed ${iso(index.createdAt)} by ${names}`;
}
