/**
 * Reads checksum files in the form of `sha256sum`: `HEX  NAME` or, with --tag, `SHA256 (NAME) = HEX`. The reader is strict (T13),
 * because `sha256sum -c` skips lines that it does not understand, and accepts any path.
 */
import { isPlainPath } from "../digests.ts";
import type { DigestedEntry } from "../entry-source.ts";
import { LineWalker } from "../line-cursor.ts";
import { ListedEntries } from "../listed-entries.ts";
import { PackageIndex } from "../package-index.ts";

const gnu = /^([0-9A-Fa-f]{64}) [ *](.+)$/;
const bsd = /^SHA256 \((.+)\) = ([0-9A-Fa-f]{64})$/;

/**
 * Checks a whole checksum file and returns its files for look-ups by path.
 * @throws FeedkeyError `bad_index`, with the line, if the file is malformed
 */
export function readSums(bytes: Uint8Array): PackageIndex {
  return new PackageIndex(new ListedEntries(bytes.length, readLines(bytes)));
}

function readLines(bytes: Uint8Array): DigestedEntry[] {
  const walker = new LineWalker(bytes);
  const entries: DigestedEntry[] = [];
  const seen = new Map<string, number>();
  while (walker.advance()) {
    const entry = readLine(walker.bytes.toString("utf8", walker.start, walker.end), walker);
    // Some file systems ignore case or Unicode normalization, and would treat the two names as one file.
    const folded = entry.name.normalize("NFC").toLowerCase();
    const earlier = seen.get(folded);
    if (earlier !== undefined) throw walker.error(`names the same file as line ${earlier}`);
    seen.set(folded, walker.line);
    entries.push(entry);
  }
  return entries;
}

function readLine(text: string, walker: LineWalker): DigestedEntry {
  if (text.startsWith("\\")) throw walker.error("has an escaped file name, which feedkey does not support");
  const [, hex, path] = gnu.exec(text) ?? reversed(bsd.exec(text)) ?? [];
  if (hex === undefined || path === undefined) throw walker.error("is not a SHA-256 checksum with a file name");
  const name = path.replace(/^(\.\/)+/, "");
  const problem = nameProblem(name);
  if (problem !== undefined) throw walker.error(`has a file name that ${problem}`);
  return {
    name,
    version: "",
    architecture: "",
    filename: name,
    size: undefined,
    sha256: hex.toLowerCase(),
    md5: undefined,
    line: walker.line,
  };
}

/** Returns the match with digest and name swapped, because the BSD form has the name first. */
function reversed(match: RegExpExecArray | null): (string | undefined)[] | undefined {
  return match === null ? undefined : [match[0], match[2], match[1]];
}

function nameProblem(name: string): string | undefined {
  if (/[\p{Cc}\ufffd]/u.test(name)) return "has a control character or is not UTF-8";
  if (name.includes("\\")) return "has a backslash";
  if (name.trim() !== name) return "begins or ends with a space";
  // For a file with the name "-", sha256sum -c reads standard input.
  if (name === "-") return "means standard input";
  if (name.startsWith("/")) return "is absolute";
  return isPlainPath(name) ? undefined : "is not a plain path below the folder";
}
