/** Says how this program reads a feed's index: texts that were read in the same way before have the same packages. */
import { createHash } from "node:crypto";
import { packageVersion } from "../files/package-version.ts";
import type { Feed } from "../profile/types.ts";

/** Returns a digest of the release of feedkey and of the feed's settings, lower-case hex. */
export function readingOf(feed: Feed): string {
  return createHash("sha256")
    .update(`${packageVersion()} ${JSON.stringify(feed)}`)
    .digest("hex");
}
