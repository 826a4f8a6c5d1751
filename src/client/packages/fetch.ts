/**
 * Use case: download packages that a verified index lists, which get their final names only after every byte was verified
 * (T12).
 */

import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { digestFile } from "../../files/file-digest.ts";
import type { StagedStream } from "../../files/staged-stream.ts";
import type { Entry } from "../../formats/entry.ts";
import { formats } from "../../formats/formats.ts";
import { timeFor } from "../../net/limits.ts";
import { getResuming } from "../../net/resume.ts";
import { isTooLarge } from "../../packages/part-text.ts";
import type { FeedFormat } from "../../profile/types.ts";
import { httpError, rootOf } from "../../refresh/download.ts";
import type { Session } from "../../refresh/session.ts";
import type { Duration } from "../../time.ts";
import { packagePath, packageUrl } from "../../trust/package-path.ts";
import type { Mirrors } from "../mirrors.ts";
import type { Choice } from "../verified-index.ts";
import type { PackageCache } from "./package-cache.ts";

export interface Fetched {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  /** The file already existed with the right digest. */
  readonly present: boolean;
}

interface Wanted {
  /** Bytes; undefined in a format whose entries give none. */
  readonly size: number | undefined;
  readonly sha256: string;
  /** Segments of its path below the folder to which the index's paths are relative. */
  readonly segments: readonly string[];
  readonly baseName: string;
}

/** Where a package goes. */
export interface Target {
  readonly path: string;
  /** Starts to write the file, under a temporary name. */
  open(): Promise<StagedStream>;
  /** Gives the verified file its name, now or later. */
  settle(file: StagedStream): Promise<void>;
}

function describe({ name, version }: Entry): string {
  return `package "${escapeText(name)}" ${escapeText(version)}`.trimEnd();
}

/** Maximum size in bytes of a file whose entry has no size: larger than any release, but too small to fill a disk. */
const maxUnsized = 16 * 1024 ** 3;

/** The assumed size of such a file; it determines how long to wait for a slow mirror. */
const expectedUnsized = 256 * 1024 ** 2;

/**
 * T12: size, digest and path that an entry must have.
 * @throws FeedkeyError `no_digest`, `bad_path`
 */
export function wantedOf(entry: Entry, format: FeedFormat): Wanted {
  const { size, sha256, filename } = entry;
  if (sha256 === undefined || (size === undefined && formats[format].lacksSizes !== true)) {
    const missing = sha256 === undefined ? "SHA256" : "readable Size";
    throw new FeedkeyError("no_digest", `${describe(entry)} has no ${missing} in the index (line ${entry.line})`, {
      details: { package: entry.name, version: entry.version, line: entry.line },
      hint: "MD5 is never enough: the archive must publish SHA256 and Size of every package",
    });
  }
  const path = packagePath(filename ?? "");
  const baseName = "segments" in path ? path.segments.at(-1) : undefined;
  if ("code" in path || baseName === undefined) throw badPath(entry, "reason" in path ? path.reason : "it has no path");
  return { size, sha256, segments: path.segments, baseName };
}

function badPath(entry: Entry, reason: string): FeedkeyError {
  return new FeedkeyError("bad_path", `${describe(entry)}: ${escapeText(reason)} (line ${entry.line} of the index)`, {
    details: { package: entry.name, version: entry.version, line: entry.line },
    hint: "the index must list packages by plain paths below the feed: tell the archive's keepers",
  });
}

/** Folder below the archive that the paths of an index are relative to. */
export function packagesFolder({ feed }: Choice["index"]): string {
  return feed.packages === "archive" ? "" : feed.path;
}

/** Downloads one package from one location; it gets its final name only after it was verified. */
async function fromLocation(
  session: Session,
  { index, entry }: Choice,
  wanted: Wanted,
  location: string,
  target: Target,
  onBytes: (count: number) => void,
  within: Duration | undefined,
): Promise<number> {
  const place = packageUrl(location, packagesFolder(index), entry.filename ?? "");
  if ("code" in place) throw badPath(entry, place.reason);
  // A partial download of an earlier run is never continued: each byte is hashed as it comes, from the first.
  const file = await target.open();
  try {
    const hash = createHash("sha256");
    const take = async (chunk: Uint8Array) => {
      hash.update(chunk);
      await file.write(chunk);
      onBytes(chunk.length);
    };
    // Reading one byte more than expected shows whether the file is too long.
    const maxBytes = (wanted.size ?? maxUnsized) + 1;
    const terms = { maxBytes, policy: "archive", root: rootOf(location), within } as const;
    const answer = await getResuming(session.options.transport, place.url, terms, take);
    if (answer.status !== 200 && answer.status !== 206) throw httpError(place.url, answer);
    refuseOther(entry, wanted, file.bytes, hash.digest("hex"));
    await target.settle(file);
    return file.bytes;
  } catch (error) {
    await file.discard();
    throw isTooLarge(error) ? sizeMismatch(entry, wanted, "more") : error;
  }
}

function sizeMismatch(entry: Entry, wanted: Wanted, got: number | "more"): FeedkeyError {
  const expected = wanted.size ?? maxUnsized;
  const most = wanted.size === undefined ? "at most " : "";
  const found = got === "more" ? "more" : String(got);
  const problem = `${describe(entry)} should have ${most}${expected} bytes, but has ${found}`;
  return new FeedkeyError("size_mismatch", problem, {
    details: { package: entry.name, version: entry.version, expected, ...(got === "more" ? {} : { got }) },
    hint: "the archive is in the middle of an update, or someone changed the file: do not install it; try again or another mirror",
  });
}

/** @throws FeedkeyError `size_mismatch`, `digest_mismatch` */
export function refuseOther(entry: Entry, wanted: Wanted, size: number, sha256: string): void {
  if (size !== (wanted.size ?? size)) throw sizeMismatch(entry, wanted, size);
  if (sha256 === wanted.sha256) return;
  const problem = `${describe(entry)} has SHA256 ${sha256}, but the index says ${wanted.sha256}`;
  throw new FeedkeyError("digest_mismatch", problem, {
    details: { package: entry.name, version: entry.version, expected: wanted.sha256, got: sha256 },
    hint: "the file was changed: do not install it; fetch it again, from another mirror if there is one",
  });
}

/**
 * Fetches one package, unless it is there.
 * @param onBytes called with the number of bytes received, for a progress bar
 * @throws FeedkeyError `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`, `unavailable`, `output`
 */
export async function fetchPackage(
  session: Session,
  choice: Choice,
  target: Target,
  { mirrors, cache }: { readonly mirrors: Mirrors; readonly cache?: PackageCache | undefined },
  onBytes: (count: number) => void,
): Promise<Fetched> {
  const wanted = wantedOf(choice.entry, choice.index.feed.format);
  const { sha256 } = wanted;
  const { path } = target;
  const there = digestFile(path);
  if (there?.sha256 === sha256 && there.size === (wanted.size ?? there.size)) {
    onBytes(there.size);
    return { path, sha256, size: there.size, present: true };
  }
  const kept = await cache?.take(wanted, target.open);
  if (kept !== undefined) {
    const size = kept.bytes;
    await target.settle(kept);
    onBytes(size);
    return { path, sha256, size, present: false };
  }
  const total = timeFor(wanted.size ?? expectedUnsized, session.options.transport.limits);
  const size = await mirrors.firstGoodPatiently(
    // The last location has no time limit, because a package may be large.
    (location, isLast) => fromLocation(session, choice, wanted, location, target, onBytes, isLast ? undefined : total),
    ({ code }) => code === "output" || code === "bad_path",
  );
  await cache?.add(sha256, path, size);
  return { path, sha256, size, present: false };
}
