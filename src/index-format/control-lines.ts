/**
 * The quick look at control data: one pattern that takes what is written as everybody writes it, and gives up at whatever is
 * not: then `parseControl` and `ownStanza` decide. So no verdict depends on this file. It is there because these take 100
 * microseconds for each package, and this 5 (`bench/main.ts` publishes 2,000 of them).
 */
import { asBuffer } from "./line-cursor.ts";

/** What a package says of itself, as it stands in an index. */
export interface OwnWords {
  readonly name: string;
  readonly version: string;
  /** Empty where there is none. */
  readonly architecture: string;
  /** The stanza without the facts about the file. */
  readonly own: Uint8Array;
}

/** Longer ones are rare; shorter ones exceed no limit of lines and stanzas. */
const longest = 16 * 1024;

// Fields with one space before a value of one line, those between that go on; further lines that hold more than blanks.
const paragraph = /^(?:[A-Za-z][A-Za-z0-9-]*: [^\0\r\n\t ][^\0\r\n]*\n(?:[\t ]+[^\0\r\n\t ][^\0\r\n]*\n)*)+$/;
const fieldName = /^[A-Za-z][A-Za-z0-9-]*(?=:)/gm;
const aboutFile = /^(filename|size|md5|sha)/;
const word = (name: string) => new RegExp(`^${name}: ([!-~]+)\\n(?![\\t ])`, "m");
const [packageWord, versionWord, architectureWord] = [word("Package"), word("Version"), word("Architecture")];

/**
 * Reads control data that is its own stanza: one paragraph, with nothing in it that an index would have otherwise.
 * @returns undefined where that is not plain to see; the stanza is a view into the bytes given
 */
export function ownWordsQuickly(bytes: Uint8Array): OwnWords | undefined {
  if (bytes.length > longest) return undefined;
  const text = asBuffer(bytes).toString("latin1");
  if (!paragraph.test(text)) return undefined;
  const seen = new Set<string>();
  for (const [spelled] of text.matchAll(fieldName)) {
    const name = spelled.toLowerCase();
    if (seen.has(name) || aboutFile.test(name)) return undefined;
    seen.add(name);
  }
  const name = packageWord.exec(text)?.[1];
  const version = versionWord.exec(text)?.[1];
  const architecture = architectureWord.exec(text)?.[1];
  // In another spelling, or no word.
  if (name === undefined || version === undefined || (architecture === undefined && seen.has("architecture"))) {
    return undefined;
  }
  return { name, version, architecture: architecture ?? "", own: bytes };
}
