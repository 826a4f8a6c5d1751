/** The source as the house's tests look at it: files, imports, text without comments. */
import * as fs from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Regular files of the project: all but git's own and what `.gitignore` names, which are folders. Not asked of git: it need not be installed. */
export function trackedFiles(): string[] {
  const lines = fs.readFileSync(".gitignore", "utf8").split("\n");
  const ignored = new Set([".git", ...lines.map((line) => line.replace(/\/$/, ""))]);
  const below = (folder: string): string[] => {
    const entries = fs.readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !ignored.has(name));
    return entries.flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? below(path) : entry.isFile() ? [path] : [];
    });
  };
  return below(".").sort();
}

export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The TypeScript files below a folder. */
export function sourceFiles(folder: string): SourceFile[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: fs.readFileSync(path, "utf8") }));
}

/** What a file imports, types too, statically or when it runs: paths from the root, names of libraries, `node:...`. */
export function importsOf({ path, text }: SourceFile): string[] {
  const declared = [...text.matchAll(/^(?:import|export)\b[^;"]*?\bfrom "([^"]+)";$/gm)];
  const bare = [...text.matchAll(/^import "([^"]+)";$/gm)];
  const dynamic = [...text.matchAll(/\bimport\(\s*"([^"]+)"/g)];
  const found = [...text.matchAll(/\bcreateRequire\([^)]*\)(?:\.resolve)?\("([^"]+)"/g)];
  return [...declared, ...bare, ...dynamic, ...found].map(([, name = ""]) => {
    return name.startsWith(".") ? normalize(join(dirname(path), name)) : name;
  });
}

/** What is left once files that import no other are taken away again and again: files in a circle and those that import them. */
export function circle(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Set(imports.keys());
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const path of left) if (!(imports.get(path) ?? []).some((name) => left.has(name))) left.delete(path);
  }
  return [...left];
}

/** The package of a library that an import names, which may name a file in it. */
export function packageOf(name: string): string {
  return /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
}

/** The part of `src/` that a path belongs to: its folder, or the name of a file at the root. */
export function partOf(path: string): string {
  const [, first = "", ...rest] = path.split("/");
  return rest.length === 0 ? first.replace(/\.ts$/, "") : first;
}

/** Without comments, with the line ends kept. Text after `//` within a string goes too. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (found) => found.replace(/[^\n]/g, "")).replace(/\/\/.*$/gm, "");
}

/** `path:line` of every match of a global pattern. */
export function places({ path, text }: SourceFile, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(({ index }) => `${path}:${text.slice(0, index).split("\n").length}`);
}
