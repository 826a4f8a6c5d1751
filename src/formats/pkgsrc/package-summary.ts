/** From the metadata of a pkgsrc package to its stanza in pkg_summary, as `pkg_info -X` prints it. */
import { FeedkeyError } from "../../error.ts";
import { withoutTrailing } from "../../trailing.ts";
import { asBuffer, type TextKind } from "../line-cursor.ts";
import { formatFileCksum } from "./file-cksum.ts";
import { readSummary, type SummaryVariable, writeSummaryStanza } from "./summary-stanza.ts";
import { SummaryScanner } from "./summary-text.ts";
import { usual } from "./summary-variables.ts";

/** Metadata of a package: an error in it makes the package bad. */
export const metadataText: TextKind = { name: "what the package says of itself", code: "bad_package" };

/** The files at the beginning of a pkgsrc package from which its stanza is made. */
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

/** Variables of `+BUILD_INFO` that pkg_info copies; the others only describe the build. */
const copied = new Set([
  ...["BUILD_DATE", "CATEGORIES", "HOMEPAGE", "LICENSE", "MACHINE_ARCH", "OPSYS", "OS_VERSION", "PKGPATH"],
  ...["PKGTOOLS_VERSION", "PKG_OPTIONS", "PREV_PKGPATH", "PROVIDES", "REQUIRES", "SUPERSEDES"],
]);

/** Lists of `+CONTENTS` and the variables that they become. */
const fromContents: Readonly<Record<string, string>> = {
  name: "PKGNAME",
  pkgdep: "DEPENDS",
  pkgcfl: "CONFLICTS",
};

function linesOf(bytes: Uint8Array): string[] {
  // One character for each byte: the text is not changed, whatever its encoding.
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines;
}

function variable(name: string, text: string): SummaryVariable {
  return { name, value: Buffer.from(text, "latin1") };
}

/** `@name`, `@pkgdep`, `@pkgcfl` of a packing list, in its order. */
function* packingList(contents: Uint8Array): Generator<readonly [command: string, argument: string]> {
  for (const line of linesOf(contents)) {
    const [, command = "", argument = ""] = /^@(name|pkgdep|pkgcfl)[ \t](.*)$/.exec(line) ?? [];
    if (command !== "") yield [command, withoutTrailing(argument).replace(/^[ \t]+/, "")];
  }
}

/**
 * The package's name and version, `@name` of its packing list.
 * @throws FeedkeyError `bad_package` unless there is exactly one
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
    // Old pkgsrc wrote "NAME= value", which pkg_add reads as the same.
    const [, name = "", value = ""] = /^([A-Z0-9_]+)= ?(.*)$/.exec(line) ?? [];
    if (copied.has(name)) yield variable(name, value);
  }
  for (const line of linesOf(metadata.description)) yield variable("DESCRIPTION", line);
}

/**
 * The variables about the package, without those about its file.
 * @throws FeedkeyError `bad_package` if they can't be written into a summary, or a required one is missing
 */
export function summaryOf(metadata: PackageMetadata): Uint8Array {
  packageName(metadata.contents);
  const summary = writeSummaryStanza({ variables: [...variablesOf(metadata)], terminated: true });
  // An index that clients refuse must never be published: so it is read as clients would read it.
  new SummaryScanner(summary, metadataText).next();
  return summary;
}

/** Which of the usual but optional variables are missing in a stanza of {@link summaryOf}. */
export function lackingVariables(own: Uint8Array): string[] {
  const bytes = asBuffer(own);
  // Every line begins with a variable's name, and none of these is the first.
  return usual.filter((name) => bytes.indexOf(`\n${name}=`) < 0);
}

/** What a stanza says about the package file. */
export interface FileFacts {
  /** Path relative to the feed or the archive. */
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, 64 digits. */
  readonly sha256: string;
}

/**
 * The same, for a stanza of {@link summaryOf}, which has no such facts yet.
 * @throws FeedkeyError `bad_package`: a path that can't be written in a line
 */
export function addFileFacts(own: Uint8Array, { filename, size, sha256 }: FileFacts): Uint8Array {
  if (/\p{Cc}/u.test(filename)) {
    throw new FeedkeyError("bad_package", "FILE_NAME has a control character", { details: { filename } });
  }
  const bytes = asBuffer(own);
  const facts = `FILE_NAME=${filename}\nFILE_SIZE=${size}\nFILE_CKSUM=${formatFileCksum(sha256)}\n`;
  // Every line begins with a variable's name, so this text can't appear elsewhere.
  const place = bytes.indexOf("\nDESCRIPTION=") + 1;
  if (place === 0) return Buffer.concat([own, Buffer.from(facts)]);
  return Buffer.concat([bytes.subarray(0, place), Buffer.from(facts), bytes.subarray(place)]);
}

/**
 * A stanza with what `pkg_info -X` lacks: the file's checksum. The file's path, size and checksum come before the
 * description, as in pkg_info's output.
 * @param own the stanza without them, or with others, which are dropped
 * @throws FeedkeyError `bad_package`: not one stanza, or a path that can't be written in a line
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
