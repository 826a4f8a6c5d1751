/** How package files are called: which files of a folder are packages at all. */
import { type FeedFormat, formats } from "../formats/formats.ts";

/** What some installer takes for a package, on file systems that ignore case too. */
const anyEnding = /\.(ipk|opk|u?deb|ddeb|apk|rpm|tgz|tbz2?|tlz|txz|tzst|pkg\.tar(\.[a-z0-9]+)?)$/i;

/** Whether a file of this name is a package of that format: one that `publish` puts into an index. */
export function isPackageName(name: string, format: FeedFormat): boolean {
  return formats[format].packageName.test(name);
}

/** Whether a file of this name would pass for a package anywhere. */
export function isCalledPackage(name: string): boolean {
  return anyEnding.test(name);
}
