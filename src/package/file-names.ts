/** How package files are called: which files of a folder are packages at all. */
import type { FeedFormat } from "../profile/types.ts";

const endings: Readonly<Record<FeedFormat, RegExp>> = {
  opkg: /\.(ipk|opk|deb)$/,
  pkgsrc: /\.(tgz|tbz|txz|tzst)$/,
};

/** Whether a file of this name is a package of that format. */
export function isPackageName(name: string, format: FeedFormat): boolean {
  return endings[format].test(name);
}
