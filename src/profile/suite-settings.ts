/** Reads the settings of apt's suites in a profile and in `archive.ini`: components, architectures and names. */
import type { FeedNames } from "../formats/format.ts";
import type { ErrorAt } from "./config-error.ts";
import type { IniValue } from "./ini.ts";
import type { Section } from "./section.ts";
import type { SuiteSettings } from "./types.ts";

/**
 * Returns a word that can be part of a path in a suite.
 * @throws what `errorAt` makes, if the text can't be part of such a path
 */
export function readSuiteWord({ text, line }: IniValue, errorAt: ErrorAt): string {
  if (/^[A-Za-z0-9][A-Za-z0-9+._~-]*(\/[A-Za-z0-9][A-Za-z0-9+._~-]*)*$/.test(text)) return text;
  throw errorAt(line, `"${text}" can't be a suite, component or architecture`);
}

/**
 * Reads a list of components or architectures, separated by commas or by spaces. Returns each word once.
 * @throws what `errorAt` makes, if a word can't be part of a path in a suite
 */
export function readSuiteWords(section: Section, key: string, errorAt: ErrorAt): string[] {
  section.required(key);
  const values = section.list(key).flatMap(({ text, line }) => text.split(/\s+/).map((word) => ({ text: word, line })));
  return [...new Set(values.map((value) => readSuiteWord(value, errorAt)))];
}

const names = ["origin", "label", "suite", "codename", "description"] as const;

/**
 * Reads the settings of a suite whose index feedkey writes.
 * @param path the feed's path below the archive
 * @throws what `errorAt` makes, if a setting is wrong, `path` is not that of a suite, or the packages are not below the folder that
 * contains `dists/`
 */
export function readSuiteSettings(section: Section, path: string, packages: string, errorAt: ErrorAt): SuiteSettings {
  const { line } = section.required("path");
  const [, base, name] = /^(?:(.*)\/)?dists\/(.+)$/.exec(path) ?? [];
  if (name === undefined) {
    throw errorAt(
      line,
      `"path" must be the path of a suite, not "${path}"`,
      "write path = dists/SUITE, or FOLDER/dists/SUITE",
    );
  }
  if (base !== undefined && packages !== base && !packages.startsWith(`${base}/`)) {
    const hint = `clients look for packages below "${base}", the folder that contains dists`;
    throw errorAt(section.required("packages").line, `"packages" is outside of the repository: "${packages}"`, hint);
  }
  const said: FeedNames = Object.fromEntries(names.flatMap((key) => readName(section, key, errorAt)));
  const settings = said.suite === undefined && said.codename === undefined ? { ...said, suite: name } : said;
  if (settings.suite !== name && settings.codename !== name) {
    const hint = `clients ask for this suite as "${name}": set "suite" or "codename" to that name`;
    throw errorAt(line, `neither "suite" nor "codename" is the name in "path"`, hint);
  }
  const components = readSuiteWords(section, "components", errorAt);
  const architectures = readSuiteWords(section, "architectures", errorAt);
  refuse(section, "components", components, /\//, "write the name of a folder in the pool", errorAt);
  const hint =
    "write only architectures of machines, such as amd64: feedkey adds the packages for all architectures to each list";
  refuse(section, "architectures", architectures, /^all$|[^a-z0-9-]/, hint, errorAt);
  return { ...settings, components, architectures, signedBy: section.yesNo("signed-by") };
}

function readName(section: Section, key: (typeof names)[number], errorAt: ErrorAt): [string, string][] {
  const value = section.optional(key);
  if (value === undefined) return [];
  if (key === "suite" || key === "codename") return [[key, readSuiteWord(value, errorAt)]];
  if (!/\p{Cc}/u.test(value.text)) return [[key, value.text]];
  throw errorAt(value.line, `"${key}" has a control character`);
}

function refuse(
  section: Section,
  key: string,
  words: readonly string[],
  bad: RegExp,
  hint: string,
  errorAt: ErrorAt,
): void {
  const word = words.find((one) => bad.test(one));
  if (word !== undefined) throw errorAt(section.required(key).line, `"${word}" can't be one of the ${key}`, hint);
}
