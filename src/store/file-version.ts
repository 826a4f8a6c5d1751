/** Which version of a file was downloaded, by the name that its server has for it. */
import { type Duration, type Instant, iso } from "../time.ts";
import type { StateReader } from "./state-reader.ts";

/** For how long a server's word that a file has not changed is enough: what it served before may have been false. */
const maxUnseen: Duration = 24 * 3_600_000;

/** Either the tag or the date. */
export interface FileVersion {
  /** Where it was asked for. */
  readonly url: string;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** When it last came whole. Files of older versions of the state don't say. */
  readonly wholeAt?: Instant | undefined;
}

/** Whether a file came whole so recently that its server may be asked only for what has changed since. */
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
