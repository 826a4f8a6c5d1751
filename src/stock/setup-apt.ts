/** apt: a source of its own, in the form of deb822, whose Signed-By names the keyring. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Profile } from "../profile/types.ts";
import { type Configured, contradiction, inTarget, type Terms, textFile, textsIn, written } from "./setup-item.ts";

/** Words of a list: what the options say, else the profile's variables of these names. */
function wordsOf(given: readonly string[], { variables }: Profile, names: readonly string[]): string[] {
  const values = given.length > 0 ? given : names.flatMap((name) => variables[name] ?? []);
  const words = values.flatMap((value) => value.split(/[\s,]+/)).filter((word) => word !== "");
  const odd = words.find((word) => !/^[A-Za-z0-9./][A-Za-z0-9._+~/-]*$/.test(word));
  if (odd === undefined) return words;
  throw new FeedkeyError("usage", `"${escapeText(odd)}" can't be a suite or component of apt`, {
    hint: "use letters, digits and . _ + ~ / -",
  });
}

/** The words of a file that are no comment, addresses without the slash at their end. */
function tokens(text: string): Set<string> {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return new Set(lines.flatMap((line) => line.split(/\s+/)).map((word) => word.replace(/(.)\/$/, "$1")));
}

/** apt reads nothing at all where two entries for one suite name different keyrings. */
async function refuseRivals({ root, profile }: Terms, suites: readonly string[], own: string): Promise<void> {
  const texts = await textsIn(root, "etc/apt/sources.list.d", [".list", ".sources"], own);
  const list = await root.text("etc/apt/sources.list");
  if (list !== undefined) texts.push({ path: "etc/apt/sources.list", text: list });
  for (const { path, text } of texts) {
    const words = tokens(text);
    const same = words.has(profile.archive.url.replace(/\/$/, ""));
    if (!same || !suites.some((suite) => words.has(suite.replace(/(.)\/$/, "$1")))) continue;
    throw contradiction(
      path,
      `names ${profile.archive.url} already`,
      "apt refuses two entries for one suite with different keyrings: remove that one, or add the line Signed-By there",
    );
  }
}

/** @throws FeedkeyError `usage`, `bad_config` */
export async function configureApt(terms: Terms): Promise<Configured> {
  const { profile } = terms;
  const keyring = `etc/apt/keyrings/${profile.name}.gpg`;
  const signedBy = `Signed-By: ${inTarget(keyring)}`;
  const suites = wordsOf(terms.suites, profile, ["suite", "suites"]);
  const components = wordsOf(terms.components, profile, ["component", "components"]);
  // A suite with a slash at its end is a folder without components.
  const flat = suites.filter((suite) => suite.endsWith("/")).length;
  if (flat > 0 && (flat < suites.length || components.length > 0)) {
    throw new FeedkeyError("usage", 'a suite that ends in "/" is a folder, and has no components', {
      hint: "give folders alone, or suites with their components",
    });
  }
  if (suites.length === 0 || (flat === 0 && components.length === 0)) {
    const missing = suites.length === 0 ? "suite" : "component";
    const warning = `no source is written, since neither an option nor the profile's variables name a ${missing}`;
    return {
      keyring,
      items: [{ kind: "export", path: keyring }],
      warnings: [`${warning}: give --suite and --component, or add the line ${signedBy} to your own`],
      byHand: [signedBy],
    };
  }
  const path = `etc/apt/sources.list.d/${profile.name}.sources`;
  await refuseRivals(terms, suites, path);
  const lines = [written("apt", profile.name), "Types: deb", `URIs: ${profile.archive.url}`];
  lines.push(`Suites: ${suites.join(" ")}`);
  if (components.length > 0) lines.push(`Components: ${components.join(" ")}`);
  return {
    keyring,
    items: [{ kind: "export", path: keyring }, textFile(path, [...lines, signedBy])],
    warnings: [],
    byHand: [],
  };
}
