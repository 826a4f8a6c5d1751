/** Use case: verify several signed pkgsrc packages. */
import { type FeedkeyError, tryEach } from "../../error.ts";
import type { Judged } from "../../refresh/certificate-pool.ts";
import { learnMore, refresh } from "../../refresh/refresh.ts";
import type { Session } from "../../refresh/session.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import { type VerifiedPackage, verifySignedPackage } from "./verify-package.ts";

/** A signed package. */
export interface SignedFile {
  readonly path: string;
  /** The file to which feedkey writes the inner package after verification; undefined if feedkey writes no file. */
  readonly output?: string | undefined;
}

export interface VerifiedPackages {
  readonly packages: readonly VerifiedPackage[];
  /** An error for each file that was refused. */
  readonly errors: readonly FeedkeyError[];
}

/**
 * Returns the feed that delegates must be allowed to sign: the given feed, or the profile's only feed; empty if the profile has
 * several feeds and the user gave none.
 */
function feedName(session: Session, name: string | undefined): string {
  const [only, ...others] = chosenFeeds(session.profile, name === undefined ? [] : [name]);
  return only === undefined || others.length > 0 ? "" : only.name;
}

/**
 * Asks servers for news of keys, then verifies each package. If feedkey refuses a package and the servers may know more about
 * its signer, asks them again and verifies all packages again.
 * @param feed the name of the feed that the packages belong to, because a delegate may sign only some feeds
 * @throws FeedkeyError `usage` if the profile has no feed with this name
 */
export async function verifyPackages(
  session: Session,
  files: readonly SignedFile[],
  feed: string | undefined,
): Promise<VerifiedPackages> {
  const policy = { feed: feedName(session, feed), threshold: session.profile.trust.threshold };
  const verifyAll = async (judged: Judged): Promise<VerifiedPackages> => {
    const verify = ({ path, output }: SignedFile) => verifySignedPackage(path, judged, policy, output);
    const { good, errors } = await tryEach(files, verify);
    return { packages: good, errors };
  };
  const verified = await verifyAll(await refresh(session));
  const news = await learnMore(session, verified.errors);
  return news === undefined ? verified : await verifyAll(news);
}
