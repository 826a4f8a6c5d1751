/** The tables of docs/who-accepts-what.md: what each client says at each step, by the key or keys that it has. */
import { readFile } from "node:fs/promises";
import { type Step, steps } from "./steps.ts";
import type { RowJson } from "./story.ts";

export const page = "docs/who-accepts-what.md";

/** The stock clients as they are called on a search path, and feedkey itself. */
const clients = ["gpgv", "gpg", "sqv", "opkg", "apt-get", "dnf", "zypper", "pacman", "pkg_admin", "feedkey"];

const generations = ["old", "new", "bundle", "new-bundle", "set-up"] as const;

const heads: Readonly<Record<(typeof generations)[number], string>> = {
  old: "old key alone",
  new: "new key alone",
  bundle: "bundle of before",
  "new-bundle": "bundle of now",
  "set-up": "set up by feedkey",
};

export type Generation = (typeof generations)[number];

/** What one client with these keys says of a feed at one moment. */
export interface Cell {
  readonly client: string;
  readonly feed: string;
  readonly generation: Generation;
  readonly word: string;
}

/** @param first the archive's first key */
function cellsOf(rows: readonly RowJson[], first: string, when: "before" | "after"): Cell[] {
  return rows.map((row) => {
    const known = generations.find((one) => one === row.generation);
    return { ...row, generation: row.generation === first ? "old" : (known ?? "new"), word: row[when] };
  });
}

/**
 * What is so after a step, by its rehearsal.
 * @param next the rehearsal after it: the first that knows of a key that the step made
 */
export function cellsAfter(rows: readonly RowJson[], next: readonly RowJson[], first: string): Cell[] {
  const cells = cellsOf(rows, first, "after");
  const isMissing = ({ generation }: Cell) => generation === "new" && cells.every((one) => one.generation !== "new");
  return [...cells, ...cellsOf(next, first, "before").filter(isMissing)];
}

const words: Readonly<Record<string, string>> = { accepts: "yes", refuses: "**no**", fails: "fails" };

/** One line for the feeds of a client of which it says the same. */
function linesOf(cells: readonly Cell[]): string[] {
  const verdicts = new Map<string, Map<Generation, string>>();
  for (const { client, feed, generation, word } of cells) {
    const name = JSON.stringify([client, feed]);
    const line = verdicts.get(name) ?? new Map<Generation, string>();
    line.set(generation, words[word] ?? "");
    verdicts.set(name, line);
  }
  const feeds = new Map<string, string[]>();
  for (const [name, line] of verdicts) {
    const [client = "", feed = ""] = JSON.parse(name) as string[];
    const same = JSON.stringify([client, ...generations.map((one) => line.get(one) ?? "")]);
    feeds.set(same, [...(feeds.get(same) ?? []), feed]);
  }
  return [...feeds].map(([same, names]) => {
    const [client = "", ...said] = JSON.parse(same) as string[];
    return `| ${[client, names.join(", "), ...said].join(" | ")} |`;
  });
}

export function tableOf(title: string, cells: readonly Cell[]): string {
  const head = ["client", "feeds", ...generations.map((one) => heads[one])];
  const known = clients.flatMap((name) => [name, `${name}, in use`]);
  const asked = known.flatMap((name) => cells.filter(({ client }) => client === name));
  const lines = [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...linesOf(asked)];
  return `## ${title}\n${lines.join("\n")}\n`;
}

/**
 * What the page says after its introduction.
 * @param rehearsals of the steps, in their order
 * @param compared how often machines were asked, and did otherwise
 */
export function tables(
  rehearsals: readonly (readonly RowJson[])[],
  first: string,
  compared: { readonly asked: number; readonly differences: number },
): string {
  const all = [
    `${compared.asked} answers of real machines compared with the predictions: ${compared.differences} differences.\n`,
    tableOf("Before", cellsOf(rehearsals[0] ?? [], first, "before")),
    ...steps.map(({ result }, place) => {
      return tableOf(result, cellsAfter(rehearsals[place] ?? [], rehearsals[place + 1] ?? [], first));
    }),
  ];
  return all.join("\n");
}

const mark = "<!-- From here on npm run who-accepts writes it. -->\n";

/** The page with these tables instead of those that it has. */
export async function pageWith(tables: string): Promise<string> {
  const [introduction] = (await readFile(page, "utf8")).split(mark);
  return `${introduction}${mark}${tables}`;
}

/** What the page says of a client after a step, as a rehearsal says it. @param client with `, in use` where it is */
export function saidOnPage(text: string, step: Step, client: string, generation: Generation): string {
  const [, section = ""] = text.split(`## ${step.result}\n`);
  const line = section.split("\n").find((one) => one.startsWith(`| ${client} | `)) ?? "";
  const cell = line.split(" | ")[2 + generations.indexOf(generation)]?.replace(/ \|$/, "");
  return Object.entries(words).find(([, word]) => word === cell)?.[0] ?? "nothing";
}
