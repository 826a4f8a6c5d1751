/** Writes notes for keepers about published packages that lack some variables. */
import { escapeText } from "../../escape.ts";
import { append } from "../../grouped.ts";
import type { WrittenFeed } from "../../profile/types.ts";
import { layoutOf } from "../feed-layouts.ts";
import type { ScanTable } from "./scan-table.ts";

/** The number of packages that a note names. */
const named = 3;

/** Returns a note for each set of missing variables in a feed's packages. */
export function lackingNotes(feed: WrittenFeed, table: ScanTable): string[] {
  const { lacking: lackingIn } = layoutOf(feed);
  if (lackingIn === undefined) return [];
  const paths = new Map<string, string[]>();
  for (const row of table.rows) {
    const { own, path } = table.at(row);
    const lacking = lackingIn(own);
    if (lacking.length > 0) append(paths, lacking.join(", "), path);
  }
  return [...paths].map(([variables, found]) => {
    const names = found.slice(0, named).map((path) => escapeText(path));
    const more = found.length > named ? ` and ${found.length - named} more` : "";
    const which = found.length === 1 ? "a package lacks" : `${found.length} packages lack`;
    return `feed "${feed.name}": ${which} ${variables}, so the summary lacks these variables too; packages that are built with pkgsrc have them: ${names.join(", ")}${more}`;
  });
}
