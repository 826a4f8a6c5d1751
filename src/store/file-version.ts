/** The version of a downloaded file, according to its server. */
import { type Duration, type Instant, iso } from "../time.ts";
import type { StateReader } from "./state-reader.ts";

/** How long "not modified" is accepted from a server: its earlier copy may have been wrong. */
const maxUnseen: Duration = 24 * 3_600_000;

/** Either the tag or the date. */
export interface FileVersion {
  /** The requested URL. */
  readonly url: string;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** When it was last downloaded completely; missing in states of older versions. */
  readonly wholeAt?: Instant | undefined;
}

/** Whether a file was downloaded so recently that a conditional request is allowed. */
export function isFresh({ wholeAt }: FileVersion, at: Instant): boolean {
  return wholeAt !== undefined && wholeAt <= at && at - wholeAt < maxUnseen;
}

/** As it is written into JSON; its time to the second. */
export function fileVersionDocument(version: FileVersion): object {
  const { url, etag, lastModified, wholeAt } = version;
  return { url, etag, lastModified, wholeAt: wholeAt === undefined ? undefined : iso(wholeAt) };
}

/** @throws FeedkeyError `bad_state` */
export function parseFileVersion(value: unknown, where: string, read: StateReader): FileVersion {
  const version = read.object(value, where, ["url", "etag?", "lastModified?", "wholeAt?"]);
  const text = (name: string) => (version.has(name) ? read.text(version.get(name), where) : undefined);
  const wholeAt = version.has("wholeAt") ? read.instant(version.get("wholeAt"), where) : undefined;
  const url = read.text(version.get("url"), where);
  return { url, etag: text("etag"), lastModified: text("lastModified"), wholeAt };
}
