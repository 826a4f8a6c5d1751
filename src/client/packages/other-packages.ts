/**
 * Protects the packages that earlier runs wrote to the output folder: another package with the same file name must not replace them.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { digestFile } from "../../files/file-digest.ts";
import { packagePath } from "../../trust/package-path.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";

/**
 * Drops a package if its file would replace another package that an accepted index lists. A package may replace a file that no index lists,
 * such as a partial download.
 * @param all returns the accepted indexes of all feeds; called only if the folder already has a file with the name of a chosen package
 */
export async function withoutReplacing(
  choices: readonly Choice[],
  folder: string,
  all: () => Promise<readonly VerifiedIndex[]>,
): Promise<{ readonly free: readonly Choice[]; readonly errors: readonly FeedkeyError[] }> {
  const there = choices.filter((choice) => existsSync(join(folder, baseNameOf(choice) ?? " ")));
  const indexes = there.length === 0 ? [] : await all();
  const errors: FeedkeyError[] = [];
  const refused = there.filter((choice) => {
    const problem = problemWith(choice, folder, indexes);
    if (problem !== undefined) errors.push(problem);
    return problem !== undefined;
  });
  return { free: choices.filter((choice) => !refused.includes(choice)), errors };
}

function baseNameOf({ entry }: Pick<Choice, "entry">): string | undefined {
  const path = packagePath(entry.filename ?? "");
  return "segments" in path ? path.segments.at(-1) : undefined;
}

function problemWith(choice: Choice, folder: string, indexes: readonly VerifiedIndex[]): FeedkeyError | undefined {
  const name = baseNameOf(choice) ?? "";
  const others = indexes.flatMap((index) =>
    index.packages
      .findByFile(name)
      .flatMap((entry) => (entry.sha256 === choice.entry.sha256 ? [] : [{ entry, index }])),
  );
  // If no other package has this file name, feedkey need not read the file.
  const held = others.length === 0 ? undefined : digestFile(join(folder, name));
  const other = held && others.find(({ entry }) => entry.sha256 === held.sha256);
  if (other === undefined) return undefined;
  const what = `"${escapeText(other.entry.name)}" ${escapeText(other.entry.version)}`.trimEnd();
  const problem = `the folder already has ${escapeText(name)}, which is package ${what} of feed "${other.index.feed.name}"`;
  return new FeedkeyError("bad_path", problem, {
    details: { file: name, feeds: [other.index.feed.name, choice.index.feed.name] },
    hint: "fetch the package into another folder, or move the existing file away",
  });
}
