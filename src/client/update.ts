/** Use case: update each feed's index. If an update fails, feedkey reports the reason and keeps the feed's last good index. */
import { FeedkeyError, orRefusal, systemCode } from "../error.ts";
import { timeFor } from "../net/limits.ts";
import { countdown } from "../net/retry-after.ts";
import type { GetOptions } from "../net/types.ts";
import type { Feed } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { expectedBytes, fileUrl, inFeed, pastCaches } from "../refresh/download.ts";
import { learnMore, refresh } from "../refresh/refresh.ts";
import type { Session } from "../refresh/session.ts";
import type { LastIndex } from "../store/feed-folder.ts";
import { warnOfAlgorithms } from "./algorithm-warnings.ts";
import type { Candidate } from "./candidate.ts";
import { downloadIndex, partsBeside, type RememberedIndex, rememberedIndex } from "./index-download.ts";
import { indexLimit, indexNames, otherForm } from "./index-files.ts";
import { Mirrors } from "./mirrors.ts";
import { readingOf } from "./reading.ts";
import { type Consent, type VerifiedIndex, verifyIndex } from "./verified-index.ts";
import { nameOfPart } from "./verified-part.ts";

export type FeedOutcome =
  | {
      readonly feed: Feed;
      readonly ok: true;
      readonly index: VerifiedIndex;
      readonly changed: boolean;
      readonly source: string;
    }
  | { readonly feed: Feed; readonly ok: false; readonly error: FeedkeyError };

/**
 * The errors after which feedkey downloads index and signature once more: a mirror that is being updated may serve a new index
 * with an old signature, or the reverse.
 */
const mixedPair = new Set(["bad_signature", "bad_index"]);

/**
 * Downloads and verifies the index from one server. If index and signature do not match, tries the same form once more, and then the
 * other form (compressed or not). One time limit, which depends on the index's last size, covers all these attempts; each list that
 * the index names has its own time limit. feedkey does not download unchanged files again, but judges them like downloaded files.
 */
async function fromLocation(
  session: Session,
  judged: Judged,
  feed: Feed,
  location: string,
  consent: Consent,
  last: LastIndex | undefined,
): Promise<VerifiedIndex> {
  const left = countdown(timeFor(last?.meta.size ?? expectedBytes.index, session.options.transport.limits));
  const absences: FeedkeyError[] = [];
  const source = { session, location, feed, limit: indexLimit(feed, last?.meta), left, absences };
  const verify = (candidate: Candidate, headers: Pick<GetOptions, "headers">) => {
    const parts = partsBeside(source, candidate.name, headers);
    return verifyIndex(candidate, feed, {
      profile: session.profile,
      judged,
      last,
      ...consent,
      parts,
      readAs: readingOf(feed),
    });
  };
  const attempt = async (name: string, headers = {}, kept?: RememberedIndex): Promise<VerifiedIndex | undefined> => {
    const found = await downloadIndex(source, name, headers, kept);
    const verified = found && verify(found.candidate, headers);
    if (found?.isRemembered !== true) return await verified;
    return await verified?.catch((error: unknown) => askAgain(error, () => attempt(name, pastCaches)));
  };
  const remembered = last && rememberedIndex(last);
  const names = indexNames(feed);
  for (const name of names) {
    try {
      const index = await attempt(name, {}, remembered);
      if (index !== undefined) return index;
    } catch (error) {
      if (!(error instanceof FeedkeyError) || !mixedPair.has(error.code)) throw error;
      return await secondTry(session, feed, name, error, attempt);
    }
  }
  const [unsure] = absences;
  if (unsure !== undefined) throw unsure;
  const url = fileUrl(location, inFeed(feed, names[0] ?? "")).href;
  throw new FeedkeyError("unavailable", `feed "${feed.name}" has no index at ${url}`, {
    details: { feed: feed.name, url, reason: "http", status: 404 },
    hint: 'check "url" and "path" in the profile; the last good index stays in use',
  });
}

/**
 * Downloads the index again after the server called it unchanged but feedkey refused the stored copy: the server may be wrong.
 * @param refusal why feedkey refused the stored copy
 */
async function askAgain<T>(refusal: unknown, attempt: () => Promise<T>): Promise<T> {
  if (!(refusal instanceof FeedkeyError)) throw refusal;
  return await attempt().catch((error: unknown) => {
    // An error about an unreachable server is less important than the refusal.
    throw error instanceof FeedkeyError && error.code === "unavailable" ? refusal : error;
  });
}

async function secondTry(
  session: Session,
  feed: Feed,
  name: string,
  first: FeedkeyError,
  attempt: (name: string, headers: Pick<GetOptions, "headers">) => Promise<VerifiedIndex | undefined>,
): Promise<VerifiedIndex> {
  const other = otherForm(feed.format, name);
  for (const again of other === undefined ? [name] : [name, other]) {
    const index = await orRefusal(() => attempt(again, pastCaches));
    if (index === undefined || index instanceof FeedkeyError) continue;
    if (again !== name) {
      session.options.reporter.warn(
        `feed "${feed.name}": ${name} is not what was signed (bad_index); feedkey used ${again}, which the signature covers`,
      );
    }
    return index;
  }
  throw first;
}

/** One update of several feeds. */
interface Round {
  /** The keys, as feedkey last judged them; feedkey judges them again if another run has changed the client's state. */
  judged: Judged;
  readonly mirrors: Mirrors;
  readonly consent: Consent;
}

/** Updates one feed: tries each server in turn, and accepts the first good index. */
async function updateFeed(session: Session, round: Round, feed: Feed): Promise<FeedOutcome> {
  const before = await session.state.lastIndex(feed.name);
  let last = before;
  const outcome = await orRefusal(async (): Promise<FeedOutcome> => {
    return await round.mirrors.firstGood(async (location) => {
      const verify = () => fromLocation(session, round.judged, feed, location, round.consent, last);
      const source = fileUrl(location, feed.path).href;
      const index = await accept(session, await verify(), source, async (judged) => {
        round.judged = judged;
        last = await session.state.lastIndex(feed.name);
        return await verify();
      });
      const isLast = before?.meta.sha256 === index.sha256 && before.meta.createdAt === index.createdAt;
      const changed = !index.root.otherForm && !isLast;
      return { feed, ok: true, index, changed, source };
    }, isOwnTrouble);
  });
  if (!(outcome instanceof FeedkeyError)) return outcome;
  if (isOwnTrouble(outcome)) throw outcome;
  return { feed, ok: false, error: outcome };
}

/** Whether an error comes from this machine, so that another server can't help. */
function isOwnTrouble(error: FeedkeyError): boolean {
  return (
    ["output", "bad_state", "locked", "internal", "bad_profile"].includes(error.code) || systemCode(error) === "ENOSPC"
  );
}

/**
 * Stores a verified index as the feed's last accepted index. If another run has changed the client's state since the verification,
 * verifies the index again first. Writes nothing in an audit (read-only state), or if the index is another form of the stored index.
 * @param verifyAgain verifies the index again with the new state and the given keys
 * @returns the accepted index
 */
export async function accept(
  session: Session,
  verified: VerifiedIndex,
  source: string,
  verifyAgain: (judged: Judged) => Promise<VerifiedIndex>,
): Promise<VerifiedIndex> {
  for (let index = verified; ; index = await verifyAgain(await session.judge())) {
    if (index.root.otherForm || (await write(session, index, source))) return index;
  }
}

async function write(session: Session, index: VerifiedIndex, source: string): Promise<boolean> {
  const { signed, signature, createdAt, sha256, signers, versions } = index.root;
  const acceptedAt = session.options.at;
  const read = { entries: index.count, readAs: readingOf(index.feed) };
  const meta = { createdAt, sha256, acceptedAt, signers, source, versions, ...read };
  const parts = new Map(index.parts.map((one) => [nameOfPart(one.part), one]));
  const { name } = index.feed;
  return await session.write((state) => state.acceptIndex(name, { index: signed, signature, meta, parts }), name);
}

/** Updates the given feeds. If one feed fails, still updates the others. */
export async function updateFeeds(
  session: Session,
  judged: Judged,
  feeds: readonly Feed[],
  consent: Consent,
): Promise<FeedOutcome[]> {
  const round: Round = { judged, mirrors: new Mirrors(session), consent };
  const outcomes: FeedOutcome[] = [];
  for (const feed of feeds) outcomes.push(await updateFeed(session, round, feed));
  return outcomes;
}

/**
 * Asks servers for news of keys, then updates the feeds. If feedkey refuses a feed's index and the servers may know more about
 * its signer, asks them about the signer and updates this feed again.
 * @returns the outcome for each feed
 */
export async function updateWithFreshKeys(
  session: Session,
  feeds: readonly Feed[],
  consent: Consent,
): Promise<FeedOutcome[]> {
  const judged = await refresh(session);
  const outcomes = await updateFeeds(session, judged, feeds, consent);
  const news = await learnMore(session, refusalsOf(outcomes));
  const good = outcomes.filter(({ ok }) => ok);
  const again = outcomes.filter(({ ok }) => !ok).map(({ feed }) => feed);
  const all = news === undefined ? outcomes : [...good, ...(await updateFeeds(session, news, again, consent))];
  warnOfAlgorithms(
    session,
    all.flatMap((one) => (one.ok ? one.index.signers : [])),
  );
  return all;
}

/** Returns the errors of the feeds whose update failed. */
export function refusalsOf(outcomes: readonly FeedOutcome[]): FeedkeyError[] {
  return outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
}
