/** Tells package files from other files by their names. */
import { type FeedFormat, formats } from "../formats/formats.ts";

/** Matches the names that some installer treats as packages. Ignores case, because some file systems ignore case. */
const anyEnding = /\.(ipk|opk|u?deb|ddeb|apk|rpm|tgz|tbz2?|tlz|txz|tzst|pkg\.tar(\.[a-z0-9]+)?)$/i;

/** Whether a file with this name is a package of the given format. */
export function isPackageName(name: string, format: FeedFormat): boolean {
  return formats[format].packageName.test(name);
}

/** Whether some installer would treat a file with this name as a package. */
export function isCalledPackage(name: string): boolean {
  return anyEnding.test(name);
}
