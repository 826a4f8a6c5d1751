/** Builds the pkg_summary stanza of a pkgsrc package from the package's metadata, like `pkg_info -X`. */
import { FeedkeyError } from "../../error.ts";
import { withoutTrailing } from "../../trailing.ts";
import { asBuffer, type TextKind } from "../line-cursor.ts";
import { formatFileCksum } from "./file-cksum.ts";
import { readSummary, type SummaryVariable, writeSummaryStanza } from "./summary-stanza.ts";
import { SummaryScanner } from "./summary-text.ts";
import { usual } from "./summary-variables.ts";

/** The kind of text for a package's metadata. An error in the metadata makes the package bad. */
const metadataText: TextKind = { name: "the package's metadata", code: "bad_package" };

/** The files at the beginning of a pkgsrc package. feedkey builds the package's stanza from these files. */
export interface PackageMetadata {
  /** `+CONTENTS`, the packing list. */
  readonly contents: Uint8Array;
  /** `+COMMENT`. */
  readonly comment: Uint8Array;
  /** `+DESC`. */
  readonly description: Uint8Array;
  /** `+BUILD_INFO`. */
  readonly buildInfo: Uint8Array;
  /** `+SIZE_PKG`. */
  readonly sizePkg: Uint8Array | undefined;
}

/** The variables that pkg_info copies from `+BUILD_INFO`. The other variables only describe the build. */
const copied = new Set([
  ...["BUILD_DATE", "CATEGORIES", "HOMEPAGE", "LICENSE", "MACHINE_ARCH", "OPSYS", "OS_VERSION", "PKGPATH"],
  ...["PKGTOOLS_VERSION", "PKG_OPTIONS", "PREV_PKGPATH", "PROVIDES", "REQUIRES", "SUPERSEDES"],
]);

/** The commands in `+CONTENTS` that become variables in the summary. */
const fromContents: Readonly<Record<string, string>> = {
  name: "PKGNAME",
  pkgdep: "DEPENDS",
  pkgcfl: "CONFLICTS",
};

function linesOf(bytes: Uint8Array): string[] {
  // latin1 has one character for each byte, so a text in any encoding stays unchanged.
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines;
}

function variable(name: string, text: string): SummaryVariable {
  return { name, value: Buffer.from(text, "latin1") };
}

/** Yields the `@name`, `@pkgdep` and `@pkgcfl` commands in a packing list, in their order. */
function* packingList(contents: Uint8Array): Generator<readonly [command: string, argument: string]> {
  for (const line of linesOf(contents)) {
    const [, command = "", argument = ""] = /^@(name|pkgdep|pkgcfl)[ \t](.*)$/.exec(line) ?? [];
    if (command !== "") yield [command, withoutTrailing(argument).replace(/^[ \t]+/, "")];
  }
}

/**
 * Returns the package's name and version, from `@name` in the packing list.
 * @throws FeedkeyError `bad_package` unless the packing list has exactly one valid `@name`
 */
export function packageName(contents: Uint8Array): string {
  const names = [...packingList(contents)].filter(([command]) => command === "name");
  const [[, only] = [], ...others] = names;
  if (only !== undefined && others.length === 0 && /^[\x21-\x7e]+-[\x21-\x7e]+$/.test(only)) return only;
  throw new FeedkeyError("bad_package", `expected one "@name NAME-VERSION" in +CONTENTS, found ${names.length}`);
}

function* variablesOf(metadata: PackageMetadata): Generator<SummaryVariable> {
  for (const [command, argument] of packingList(metadata.contents)) {
    yield variable(fromContents[command] ?? "", argument);
  }
  for (const line of linesOf(metadata.comment)) yield variable("COMMENT", line);
  for (const line of metadata.sizePkg === undefined ? [] : linesOf(metadata.sizePkg)) yield variable("SIZE_PKG", line);
  for (const line of linesOf(metadata.buildInfo)) {
    // Old versions of pkgsrc wrote "NAME= value". pkg_add reads "NAME= value" like "NAME=value".
    const [, name = "", value = ""] = /^([A-Z0-9_]+)= ?(.*)$/.exec(line) ?? [];
    if (copied.has(name)) yield variable(name, value);
  }
  for (const line of linesOf(metadata.description)) yield variable("DESCRIPTION", line);
}

/**
 * Returns a stanza with the variables about the package, without the variables about the package file.
 * @throws FeedkeyError `bad_package` if a summary can't contain a variable, or a required variable is missing
 */
export function summaryOf(metadata: PackageMetadata): Uint8Array {
  packageName(metadata.contents);
  const summary = writeSummaryStanza({ variables: [...variablesOf(metadata)], terminated: true });
  // feedkey must never publish an index that clients refuse. So feedkey reads the stanza with the clients' reader.
  new SummaryScanner(summary, metadataText).next();
  return summary;
}

/** Returns the usual but optional variables that are missing in a stanza from {@link summaryOf}. */
export function lackingVariables(own: Uint8Array): string[] {
  const bytes = asBuffer(own);
  // Every line begins with a variable's name, and the first line is never a usual variable.
  return usual.filter((name) => bytes.indexOf(`\n${name}=`) < 0);
}

/** The facts that a stanza gives about the package file. */
interface FileFacts {
  /** Path relative to the feed or the archive. */
  readonly filename: string;
  /** Size of the package file, in bytes. */
  readonly size: number;
  /** SHA-256 of the package file: 64 lower-case hex digits. */
  readonly sha256: string;
}

/**
 * Adds the facts about the package file to a stanza from {@link summaryOf}, which has no such facts yet.
 * @throws FeedkeyError `bad_package` if the path contains a control character
 */
export function addFileFacts(own: Uint8Array, { filename, size, sha256 }: FileFacts): Uint8Array {
  if (/\p{Cc}/u.test(filename)) {
    throw new FeedkeyError("bad_package", "FILE_NAME has a control character", { details: { filename } });
  }
  const bytes = asBuffer(own);
  const facts = `FILE_NAME=${filename}\nFILE_SIZE=${size}\nFILE_CKSUM=${formatFileCksum(sha256)}\n`;
  // Every line begins with a variable's name, so the search finds only the variable.
  const place = bytes.indexOf("\nDESCRIPTION=") + 1;
  if (place === 0) return Buffer.concat([own, Buffer.from(facts)]);
  return Buffer.concat([bytes.subarray(0, place), Buffer.from(facts), bytes.subarray(place)]);
}

/**
 * Adds the facts about the package file to a stanza. `pkg_info -X` omits the file's checksum. The file's path, size and
 * checksum come before the description, as in pkg_info's output.
 * @param own the stanza; the function replaces all facts about the file in the stanza
 * @throws FeedkeyError `bad_package` if `own` is not exactly one stanza, or a line can't contain the path
 */
export function withFileFacts(own: Uint8Array, { filename, size, sha256 }: FileFacts): Uint8Array {
  const [stanza, ...others] = [...readSummary(own, metadataText)].filter((piece) => piece.kind === "stanza");
  if (stanza === undefined || others.length > 0) {
    throw new FeedkeyError("bad_package", "expected one stanza of a summary");
  }
  const kept = stanza.variables.filter(({ name }) => !/^FILE_(NAME|SIZE|CKSUM)$/.test(name));
  const place = kept.findIndex(({ name }) => name === "DESCRIPTION");
  const facts = [
    { name: "FILE_NAME", value: Buffer.from(filename, "utf8") },
    variable("FILE_SIZE", String(size)),
    variable("FILE_CKSUM", formatFileCksum(sha256)),
  ];
  const variables = place < 0 ? [...kept, ...facts] : [...kept.slice(0, place), ...facts, ...kept.slice(place)];
  const whole = writeSummaryStanza({ variables, terminated: true });
  new SummaryScanner(whole, metadataText).next();
  return whole;
}
