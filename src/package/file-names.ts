/** How package files are called: which files of a folder are packages at all. */
import { type FeedFormat, formats } from "../index-format/formats.ts";

/** Whether a file of this name is a package of that format. */
export function isPackageName(name: string, format: FeedFormat): boolean {
  return formats[format].packageName.test(name);
}
