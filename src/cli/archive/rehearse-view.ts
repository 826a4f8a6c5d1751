/**
 * Shows the result of a rehearsal: which keys each client has, and whether it accepts the feeds before and after the rehearsed
 * command.
 */
import { escapeText } from "../../escape.ts";
import { breaks, type Rehearsal, type Row } from "../../rehearse/rehearsal.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";

/** Whether a client that refused the feed before the command accepts the feed afterwards. */
function gains({ before, after }: Row): boolean {
  return before.word !== "accepts" && after.word === "accepts";
}

function holding({ generation: { kind, seed } }: Row, present: string): string {
  if (kind === "bundle") return "the key bundle as it is published now";
  if (kind === "new-bundle") return "the key bundle as it is published afterwards, imported in time";
  if (kind === "set-up")
    return "what feedkey setup gave them, with the present key as seed, after their timer's next run";
  return `${seed ?? ""} alone, as shipped${seed === present ? " (the present key)" : ""}`;
}

/** Returns the letters that stand for a position: A to Z, then AA to ZZ. */
function letterOf(place: number): string {
  const last = String.fromCharCode(65 + (place % 26));
  return place < 26 ? last : `${letterOf(Math.floor(place / 26) - 1)}${last}`;
}

/**
 * Returns a letter for each generation of clients (clients with the same keys), because lines with whole fingerprints would be
 * hard to read.
 */
function letters(rows: readonly Row[]): Map<string, { readonly letter: string; readonly first: Row }> {
  const found = new Map<string, { letter: string; first: Row }>();
  for (const row of rows) {
    const name = nameOf(row);
    if (!found.has(name)) found.set(name, { letter: letterOf(found.size), first: row });
  }
  return found;
}

function nameOf({ generation: { kind, seed } }: Row): string {
  return seed ?? kind;
}

/** Combines rows that differ only in the feed. */
function together(rows: readonly Row[]): { readonly row: Row; readonly feeds: string[] }[] {
  const found = new Map<string, { row: Row; feeds: string[] }>();
  for (const row of rows) {
    const { client, before, after } = row;
    const key = JSON.stringify([nameOf(row), client, before.word, after.word, after.reason]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { row, feeds: [row.feed] });
    else known.feeds.push(row.feed);
  }
  return [...found.values()];
}

/** Returns the text for people: the rehearsed command, a legend, a line for each client, and how many clients would break. */
export function rehearsalText(step: string, rehearsal: Rehearsal<Outcome>): string {
  const { rows, clients, present, result, translate } = rehearsal;
  const legend = letters(rows);
  const lines = together(rows).map(({ row, feeds }) => [
    legend.get(nameOf(row))?.letter ?? "",
    row.client,
    feeds.join(","),
    row.before.word,
    breaks(row) ? row.after.word.toUpperCase() : row.after.word,
    escapeText(translate(row.after.reason)),
  ]);
  const missing = clients.filter(({ program }) => program === undefined).map(({ name }) => name);
  const broken = rows.filter(breaks).length;
  return [
    `rehearsed on a copy, now removed: ${escapeText(step)}`,
    ...translate(result.text)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `  ${line}`),
    "",
    "clients that have",
    ...[...legend.values()].map(({ letter, first }) => `  ${letter}  ${holding(first, present)}`),
    "",
    table(["", "client", "feed", "now", "after", "why"], lines),
    ...(missing.length === 0 ? [] : [`not installed, so not tested: ${missing.join(", ")}`]),
    "",
    broken === 0
      ? "every client that accepts the feeds now would still accept them"
      : `${broken} of ${rows.length} would break; nothing was changed`,
  ].join("\n");
}

/** Returns the fields of the result for `--json`. */
export function rehearsalJson(step: string, rehearsal: Rehearsal<Outcome>) {
  const { rows, clients, present, keys, result, translate } = rehearsal;
  return {
    step,
    done: translate(result.text)
      .split("\n")
      .filter((line) => line !== ""),
    present,
    keys,
    clients: clients.map(({ name, program }) => ({ name, installed: program !== undefined, program: program ?? null })),
    rows: rows.map((row) => ({
      generation: nameOf(row),
      client: row.client,
      feed: row.feed,
      before: row.before.word,
      after: row.after.word,
      reason: translate(row.after.reason),
    })),
    breaks: rows.filter(breaks).length,
    gains: rows.filter(gains).length,
  };
}
