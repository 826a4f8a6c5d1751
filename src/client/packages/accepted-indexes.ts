/** Judges the stored indexes of feeds again before the client uses them. */

import { FeedkeyError, tryEach } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { PartSource } from "../../packages/part-text.ts";
import type { Feed } from "../../profile/types.ts";
import type { Judged } from "../../refresh/certificate-pool.ts";
import type { Session } from "../../refresh/session.ts";
import { badState } from "../../store/state-file.ts";
import { acceptedCandidate } from "../candidate.ts";
import { readingOf } from "../reading.ts";
import { type VerifiedIndex, verifyIndex } from "../verified-index.ts";

/**
 * Judges the last accepted index of a feed again: since then, the signer may have been revoked, or the index may have become
 * stale.
 * @returns undefined if the client never accepted an index of the feed
 * @throws FeedkeyError as `verifyIndex` does
 */
async function acceptedIndex(session: Session, judged: Judged, feed: Feed): Promise<VerifiedIndex | undefined> {
  const last = await session.state.lastIndex(feed.name);
  if (last === undefined) return undefined;
  const how = { allowEmpty: true, parts: neverKept(feed), readAs: readingOf(feed) };
  const terms = { profile: session.profile, judged, last, ...how };
  return await verifyIndex(acceptedCandidate(last), feed, terms);
}

const updateMends = "run feedkey update, which downloads the file again";

/**
 * Throws the error for a part that is missing or damaged in the client's state. A part is missing only if the profile now
 * requests more parts than before.
 */
function neverKept({ name }: Feed): PartSource {
  return async (place, _limit, damaged) => {
    if (damaged !== undefined)
      throw badState(damaged, "does not match the digest that was recorded when it was accepted", updateMends);
    throw neverAccepted(`no ${escapeText(place)} of feed "${name}" has been accepted yet`, { feed: name });
  };
}

function neverAccepted(message: string, details = {}): FeedkeyError {
  return new FeedkeyError("not_found", message, { details, hint: 'run "feedkey update" first' });
}

/**
 * Returns the indexes that the client still accepts, and the errors for the other indexes: for example, an index is stale, or
 * its signer was revoked.
 * @param each whether to return an error for each feed without an accepted index
 * @throws FeedkeyError `not_found` if the client has not accepted an index of any of these feeds yet
 */
export async function acceptedIndexes(session: Session, judged: Judged, feeds: readonly Feed[], each: boolean) {
  const { good, errors } = await tryEach(feeds, async (feed) => {
    const index = await acceptedIndex(session, judged, feed);
    if (index === undefined && each) throw neverAccepted(`no index of feed "${feed.name}" has been accepted yet`);
    return index ?? [];
  });
  const indexes = good.flat();
  if (indexes.length === 0 && errors.length === 0) throw neverAccepted("none of these feeds has an accepted index yet");
  return { indexes, errors };
}
