/** Which version of a file was downloaded, by the name that its server has for it. */
import type { StateReader } from "./state-reader.ts";

/** Either the tag or the date. */
export interface FileVersion {
  /** Where it was asked for. */
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Whether two answers were the same file, as far as their validators tell. */
export function isSameVersion(one: FileVersion | undefined, other: FileVersion | undefined): boolean {
  return one?.url === other?.url && one?.etag === other?.etag && one?.lastModified === other?.lastModified;
}

/** @throws FeedkeyError `bad_state` */
export function parseFileVersion(value: unknown, where: string, read: StateReader): FileVersion {
  const version = read.object(value, where, ["url", "etag?", "lastModified?"]);
  const etag = version.get("etag");
  const lastModified = version.get("lastModified");
  return {
    url: read.text(version.get("url"), where),
    ...(etag === undefined ? {} : { etag: read.text(etag, where) }),
    ...(lastModified === undefined ? {} : { lastModified: read.text(lastModified, where) }),
  };
}
