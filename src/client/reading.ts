/** Identifies the way in which feedkey reads a feed's index: if the text and the way are unchanged, so are the packages. */
import { hash } from "node:crypto";
import { packageVersion } from "../files/package-version.ts";
import type { Feed } from "../profile/types.ts";

/** Returns a digest of feedkey's version and the feed's settings, lower-case hex. */
export function readingOf(feed: Feed): string {
  return hash("sha256", `${packageVersion()} ${JSON.stringify(feed)}`);
}
