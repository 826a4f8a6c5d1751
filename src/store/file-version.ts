/** The version of a downloaded file, as its server identifies it. */
import { type Duration, type Instant, iso } from "../time.ts";
import type { StateReader } from "./state-reader.ts";

/**
 * How long after the last complete download feedkey accepts "not modified". After this time it downloads the file again, because the server
 * may have sent a wrong copy before.
 */
const maxUnseen: Duration = 24 * 3_600_000;

/** A version of a file, identified by either its entity tag (ETag) or its modification date. */
export interface FileVersion {
  /** The URL that the client requested. */
  readonly url: string;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** When the file was last downloaded completely; undefined in state files from older releases. */
  readonly wholeAt?: Instant | undefined;
}

/** Whether a file was downloaded so recently that a conditional request is allowed. */
export function isFresh({ wholeAt }: FileVersion, at: Instant): boolean {
  return wholeAt !== undefined && wholeAt <= at && at - wholeAt < maxUnseen;
}

/** Returns the version as an object for JSON, with times to the second. */
export function fileVersionDocument(version: FileVersion): object {
  const { url, etag, lastModified, wholeAt } = version;
  return { url, etag, lastModified, wholeAt: wholeAt === undefined ? undefined : iso(wholeAt) };
}

/** Reads a version from JSON. @throws FeedkeyError `bad_state` if the value is malformed */
export function parseFileVersion(value: unknown, where: string, read: StateReader): FileVersion {
  const version = read.object(value, where, ["url", "etag?", "lastModified?", "wholeAt?"]);
  const text = (name: string) => (version.has(name) ? read.text(version.get(name), where) : undefined);
  const wholeAt = version.has("wholeAt") ? read.instant(version.get("wholeAt"), where) : undefined;
  const url = read.text(version.get("url"), where);
  return { url, etag: text("etag"), lastModified: text("lastModified"), wholeAt };
}
