/** Rule T12: a package must have the size, digest and path that its entry in a verified index gives. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Entry } from "../../formats/entry.ts";
import { formats } from "../../formats/formats.ts";
import type { FeedFormat } from "../../profile/types.ts";
import { packagePath } from "../../trust/package-path.ts";

export interface Wanted {
  /** The file's size in bytes; undefined in a format whose entries give no size. */
  readonly size: number | undefined;
  readonly sha256: string;
  /** The segments of the file's path, relative to the folder on which the paths in the index are based. */
  readonly segments: readonly string[];
  readonly baseName: string;
}

function describe({ name, version }: Entry): string {
  return `package "${escapeText(name)}" ${escapeText(version)}`.trimEnd();
}

/** Size limit in bytes for a file whose entry gives no size: larger than any release file, but small enough not to fill a disk. */
export const maxUnsized = 16 * 1024 ** 3;

/**
 * Returns the size, digest and path that an entry gives for its file (T12).
 * @throws FeedkeyError `no_digest` if the entry lacks a size or SHA-256; `bad_path` if the path leads out of the feed
 */
export function wantedOf(entry: Entry, format: FeedFormat): Wanted {
  const { size, sha256, filename } = entry;
  if (sha256 === undefined || (size === undefined && formats[format].lacksSizes !== true)) {
    const missing = sha256 === undefined ? "SHA256" : "readable Size";
    throw new FeedkeyError("no_digest", `${describe(entry)} has no ${missing} in the index (line ${entry.line})`, {
      details: { package: entry.name, version: entry.version, line: entry.line },
      hint: "MD5 is never enough: ask the archive's keepers to publish SHA256 and Size for every package",
    });
  }
  const path = packagePath(filename ?? "");
  const baseName = "segments" in path ? path.segments.at(-1) : undefined;
  if ("code" in path || baseName === undefined) throw badPath(entry, "reason" in path ? path.reason : "it has no path");
  return { size, sha256, segments: path.segments, baseName };
}

/** Makes the error for an entry whose path leads out of the feed. */
export function badPath(entry: Entry, reason: string): FeedkeyError {
  return new FeedkeyError("bad_path", `${describe(entry)}: ${escapeText(reason)} (line ${entry.line} of the index)`, {
    details: { package: entry.name, version: entry.version, line: entry.line },
    hint: "the index must list packages by plain paths below the feed: tell the archive's keepers",
  });
}

/** Makes the error for a file whose size differs from the size that its entry gives. */
export function sizeMismatch(entry: Entry, wanted: Wanted, got: number | "more"): FeedkeyError {
  const expected = wanted.size ?? maxUnsized;
  const most = wanted.size === undefined ? "at most " : "";
  const found = got === "more" ? "more" : String(got);
  const problem = `${describe(entry)} should have ${most}${expected} bytes, but has ${found}`;
  return new FeedkeyError("size_mismatch", problem, {
    details: { package: entry.name, version: entry.version, expected, ...(got === "more" ? {} : { got }) },
    hint: "the archive is in the middle of an update, or someone changed the file: do not install it; try again, or use another mirror",
  });
}

/** Refuses a file whose size or digest differs from its entry. @throws FeedkeyError `size_mismatch`, `digest_mismatch` */
export function refuseOther(entry: Entry, wanted: Wanted, size: number, sha256: string): void {
  if (size !== (wanted.size ?? size)) throw sizeMismatch(entry, wanted, size);
  if (sha256 === wanted.sha256) return;
  const problem = `${describe(entry)} has SHA256 ${sha256}, but the index says ${wanted.sha256}`;
  throw new FeedkeyError("digest_mismatch", problem, {
    details: { package: entry.name, version: entry.version, expected: wanted.sha256, got: sha256 },
    hint: "the file was changed or damaged: do not install it; fetch it again, if possible from another mirror",
  });
}
