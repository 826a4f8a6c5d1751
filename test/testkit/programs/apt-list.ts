/** apt's own list of this distribution's packages: the largest index at hand that others made. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = "/var/lib/apt/lists";
const helper = "/usr/lib/apt/apt-helper";

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The biggest list that apt has downloaded here; undefined where there is none. */
export function biggestList(): Buffer | undefined {
  const lists = namesIn(folder)
    .filter((name) => /_Packages(\.\w+)?$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => {
      return path.endsWith("_Packages")
        ? readFileSync(path)
        : execFileSync(helper, ["cat-file", path], { maxBuffer: 1 << 29 });
    });
  return lists.sort((a, b) => b.length - a.length)[0];
}
