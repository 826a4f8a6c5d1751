/** Use case: verify signed pkgsrc packages, each separately. */
import { type FeedkeyError, tryEach } from "../../error.ts";
import type { Judged } from "../../refresh/certificate-pool.ts";
import { learnMore, refresh } from "../../refresh/refresh.ts";
import type { Session } from "../../refresh/session.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import { type VerifiedPackage, verifySignedPackage } from "./verify-package.ts";

/** A signed package. */
export interface SignedFile {
  readonly path: string;
  /** The file to write the inner package to after verification; undefined if feedkey is not to write the package. */
  readonly output?: string | undefined;
}

export interface VerifiedPackages {
  readonly packages: readonly VerifiedPackage[];
  /** The errors of the other files. */
  readonly errors: readonly FeedkeyError[];
}

/**
 * Returns the feed that delegates must be allowed to sign for: the given feed, or the only one; empty if the profile has
 * several.
 */
function feedName(session: Session, name: string | undefined): string {
  const [only, ...others] = chosenFeeds(session.profile, name === undefined ? [] : [name]);
  return only === undefined || others.length > 0 ? "" : only.name;
}

/**
 * Asks for news of keys, then verifies each package. If a package is refused and there may be news about its signer, asks again
 * and verifies all packages again.
 * @param feed the feed of the packages, because delegates may sign only some feeds
 * @throws FeedkeyError `usage` if the profile does not have the feed
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
