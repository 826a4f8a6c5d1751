/** Names of package files: which files of a folder are packages. */
import { type FeedFormat, formats } from "../formats/formats.ts";

/** Names that some installer treats as a package, even on file systems that ignore case. */
const anyEnding = /\.(ipk|opk|u?deb|ddeb|apk|rpm|tgz|tbz2?|tlz|txz|tzst|pkg\.tar(\.[a-z0-9]+)?)$/i;

/** Whether a file of this name is a package of that format, for `publish`. */
export function isPackageName(name: string, format: FeedFormat): boolean {
  return formats[format].packageName.test(name);
}

/** Whether any installer would treat a file of this name as a package. */
export function isCalledPackage(name: string): boolean {
  return anyEnding.test(name);
}
