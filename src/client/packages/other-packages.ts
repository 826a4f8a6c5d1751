/** Packages of earlier runs in the output folder: another one of the same file name, perhaps of another feed, must not take their place. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { digestFile } from "../../files/file-digest.ts";
import { packagePath } from "../../trust/package-path.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";

/**
 * Drops packages in whose place another package lies that an accepted index lists. A file that none lists, such as a partial download, is replaced.
 * @param all gives the accepted indexes of all feeds; asked only where a file of the same name is there
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
  // Most have no other of that name, and the file is read once only.
  const held = others.length === 0 ? undefined : digestFile(join(folder, name));
  const other = held && others.find(({ entry }) => entry.sha256 === held.sha256);
  if (other === undefined) return undefined;
  const what = `"${escapeText(other.entry.name)}" ${escapeText(other.entry.version)}`.trimEnd();
  const problem = `${escapeText(name)} is there already, as package ${what} of feed "${other.index.feed.name}"`;
  return new FeedkeyError("bad_path", problem, {
    details: { file: name, feeds: [other.index.feed.name, choice.index.feed.name] },
    hint: "fetch it into another folder, or move that file away",
  });
}
