/** Identifies the way in which feedkey reads a feed's index: if the text and the way are unchanged, so are the packages. */
import { createHash } from "node:crypto";
import { packageVersion } from "../files/package-version.ts";
import type { Feed } from "../profile/types.ts";

/** Returns a digest of feedkey's version and the feed's settings, lower-case hex. */
export function readingOf(feed: Feed): string {
  return createHash("sha256")
    .update(`${packageVersion()} ${JSON.stringify(feed)}`)
    .digest("hex");
}
