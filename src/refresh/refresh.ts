/** Use case: learns about successors and revocations before any key is used (T4, T11). */
import { FeedkeyError } from "../error.ts";
import { blocksIn, Inquiry, isUnasked, united } from "../keyserver/ask-all.ts";
import { lookupWkd } from "../keyserver/wkd.ts";
import { type RawCertificate, readKeyring } from "../openpgp/certificate/certificate.ts";
import { certificatesIn, isAbout } from "../openpgp/certificate/is-about-key.ts";
import type { Profile } from "../profile/types.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { addressOf } from "../trust/identity.ts";
import type { TrustSet } from "../trust/judge.ts";
import { needsCheck } from "../trust/revocation-check.ts";
import { inAskingOrder, pathOf } from "./asking-order.ts";
import { Bundles } from "./bundles.ts";
import type { Judged, Knowledge } from "./certificate-pool.ts";
import { delegatorsOf } from "./delegators.ts";
import type { Session } from "./session.ts";
import { noteBug, takeIn } from "./sources.ts";

/**
 * The number of rounds of questions: one round finds successors, the next round asks about these. The limit stops an attacker who adds new
 * keys in every round.
 */
const maxRounds = 6;

function addressOfArchive({ archive: { identity } }: Profile): string | undefined {
  return identity.kind === "user-email" ? identity.email : addressOf(identity.userId);
}

function servers({ trust }: Profile): URL[] {
  return trust.keyservers.map((server) => new URL(server));
}

/** Searches for successors by the archive's address: on every key server and, if the profile says so, in the domain's Web Key Directory. */
async function discover(session: Session, inquiry: Inquiry): Promise<void> {
  const { profile, options } = session;
  const address = addressOfArchive(profile);
  if (address === undefined) return;
  const answers = await Promise.all([
    inquiry.search(address, certificatesIn),
    ...(profile.trust.wkd ? [lookupWkd(address, { transport: options.transport })] : []),
  ]);
  for (const answer of answers.flat().flatMap((one) => takeIn(session, [one]))) {
    if (answer.outcome === "unknown") {
      options.reporter.note(answer.error.message);
      noteBug(options.reporter, answer.error);
    } else if (answer.outcome === "found") warnOfFull(session, address, answer.blocks);
  }
}

/**
 * The number of keys that Hockeypuck and feedkey's own server return at most for a search; they leave out further keys without saying so.
 */
const fullAnswer = 100;

/**
 * Warns if an answer has the largest number of keys. Without the warning, a client of a longer chain would end with an unknown signer for
 * no visible reason.
 */
function warnOfFull({ options }: Session, address: string, blocks: readonly Uint8Array[]): void {
  const count = blocks.reduce((sum, block) => sum + readKeyring(block).certificates.length, 0);
  if (count < fullAnswer) return;
  const missing = "the archive's newest keys may be missing";
  options.reporter.warn(`a key server sent ${count} keys for ${address}, and may have left out others: ${missing}`);
}

/** Asks every server about these keys, and adds all answers to what the client knows. */
async function check(session: Session, inquiry: Inquiry, fingerprints: readonly Fingerprint[]): Promise<void> {
  const { reporter } = session.options;
  for (const [fingerprint, row] of await inquiry.ask(fingerprints, isAbout)) {
    const each = takeIn(
      session,
      row.map((one) => one.answer),
    );
    for (const one of each) if (one.outcome === "unknown") noteBug(reporter, one.error);
    const answer = united(each);
    session.unasked.delete(fingerprint);
    if (answer.outcome === "unknown") {
      if (each.some(isUnasked)) session.unasked.add(fingerprint);
      reporter.warn(`key ${fingerprint} could not be checked for revocation: ${answer.error.message}`);
      continue;
    }
    // The answer counts only for the requested key: it is not a check of the other certificates in it.
    session.answered.set(fingerprint, answer.outcome);
    if (answer.outcome === "absent" && session.state.ledger.checks.get(fingerprint)?.everFound === true) {
      reporter.warn(`key ${fingerprint} was on the key servers before, but is no longer there`);
    }
  }
}

function newInquiry(session: Session): Inquiry {
  return new Inquiry(servers(session.profile), { transport: session.options.keyserverTransport });
}

/** Returns the keys whose revocation state matters: the keys that are trusted if every check succeeds, and the rivals in forks. */
function deciding({ trusted, forks }: TrustSet): Fingerprint[] {
  return [...new Set([...trusted.keys(), ...forks.flatMap((fork) => fork.rivals)])];
}

/** Asks the key servers, round by round. As soon as the bundle has arrived, feedkey asks about the bundle's keys too. */
async function askKeyservers(session: Session, thoroughly: boolean, bundles: Bundles): Promise<void> {
  const policy = session.checkPolicy;
  const inquiry = newInquiry(session);
  const asked = new Set<Fingerprint>();
  const due = async (): Promise<Fingerprint[]> => {
    const { trust } = await session.judgeUnchecked();
    // feedkey needs a revoker's certificate to verify the revoker's revocations (T4).
    const keys = [...deciding(trust), ...session.knowledge.missingRevokers].filter((key) => {
      return !asked.has(key) && (thoroughly || needsCheck(session.state.ledger.checks.get(key), policy));
    });
    return await inAskingOrder(session, trust, keys);
  };
  // If every key must be checked, at least one key is due. So feedkey searches for successors first, and includes them in the first round.
  const isSure = thoroughly || policy.revocationCheck === "always";
  let hasSearched = false;
  for (let round = 0; round < maxRounds; ) {
    const isWhole = bundles.take();
    const keys = isSure && !hasSearched ? [] : await due();
    if (!hasSearched && (isSure || keys.length > 0)) {
      hasSearched = true;
      await discover(session, inquiry);
    } else if (keys.length > 0) {
      for (const key of keys) asked.add(key);
      await check(session, inquiry, keys);
      round += 1;
    } else if (isWhole) return;
    else await bundles.takeAll();
  }
  await bundles.takeAll();
  for (const key of await due()) session.unasked.add(key);
}

function warnOfGrace(session: Session, { trust }: Judged): void {
  for (const [key] of trust.trusted) {
    if (session.checkState(key) !== "grace") continue;
    session.options.reporter.warn(
      `key ${key} could not be checked for revocation now: an earlier check still counts, within the profile's grace period`,
    );
  }
}

/** Judges, and records what this run learned. If another run has written in the meantime, judges again with the other run's records. */
async function conclude(session: Session): Promise<Judged> {
  for (;;) {
    const judged = await session.judge();
    if (!(await session.record(judged))) continue;
    if (session.checkPolicy.required) warnOfGrace(session, judged);
    return judged;
  }
}

/**
 * Downloads the bundle and asks the key servers at the same time, judges, and records what the run learned.
 * @param thoroughly whether to ask about every key, even if its last check is recent enough, and to download the whole bundle
 * @returns the judgement, after every check that could be made
 */
export async function refresh(session: Session, thoroughly = false): Promise<Judged> {
  const bundles = new Bundles(session, thoroughly);
  const isOnline = !session.options.offline;
  if (session.checkPolicy.required && isOnline) await askKeyservers(session, thoroughly, bundles);
  else if (session.profile.trust.wkd && isOnline) await discover(session, newInquiry(session));
  await bundles.takeAll();
  return await conclude(session);
}

/**
 * Returns the unknown signers that the errors name and about which feedkey asked no server in this run. They may be delegates, which a
 * search by the archive's address does not find.
 */
function strangers(session: Session, errors: readonly FeedkeyError[]): Fingerprint[] {
  const signers = errors.filter(({ code }) => code === "untrusted_signer").map(({ details }) => String(details.signer));
  return [...new Set(signers)].filter((signer) => isFingerprint(signer) && !session.answered.has(signer));
}

/**
 * The longest path of delegations that the rules allow, and the number of keys about which feedkey asks on such paths. These limits exist
 * because the paths are unverified claims.
 */
const maxPath = 9;
const maxAsked = 100;

/**
 * Asks about signers, and about the keys that delegated to them according to unverified packets, up to keys about which this run has
 * already asked. Without the certificates of these issuers, feedkey can't judge a delegate.
 * @returns whether the client learned anything new
 */
async function askUpwards(session: Session, signers: readonly Fingerprint[]): Promise<boolean> {
  const { knowledge, answered } = session;
  const inquiry = newInquiry(session);
  const before = new Map(knowledge.held);
  const asked = new Set<Fingerprint>();
  const blocks: Uint8Array[] = [];
  let next = [...signers];
  for (let step = 0; step < maxPath && next.length > 0; step++) {
    for (const key of next) asked.add(key);
    const answers = await inquiry.ask(next, isAbout);
    const found = blocksIn([...answers.values()].flat().map(({ answer }) => answer));
    for (const block of found) blocks.push(block);
    const known = [...found.flatMap((block) => readKeyring(block).certificates), ...held(knowledge, next)];
    const above = known.filter(({ fingerprint }) => asked.has(fingerprint)).flatMap(delegatorsOf);
    next = [...new Set(above)]
      .filter((key) => isFingerprint(key) && !asked.has(key) && !answered.has(key))
      .slice(0, maxAsked - asked.size);
  }
  // All blocks are added in one call, because the key in one block may be the issuer of the key in another.
  knowledge.addBlocks(blocks);
  return [...knowledge.held].some(([key, certificate]) => before.get(key) !== certificate);
}

function held(knowledge: Knowledge, keys: readonly Fingerprint[]): RawCertificate[] {
  return keys.flatMap((key) => knowledge.held.get(key) ?? []);
}

/**
 * Returns the keys about which this run asked no server because the time was over, and which are on the path of a signer in these errors.
 */
async function unaskedBehind(session: Session, errors: readonly FeedkeyError[]): Promise<Fingerprint[]> {
  if (session.unasked.size === 0) return [];
  const { trust } = await session.judgeUnchecked();
  const names = new Set(errors.map(({ details }) => String(details.signer)));
  const signers = [...trust.trusted].filter(([, { facts }]) => {
    return [facts.primary, ...facts.subkeys].some(
      ({ fingerprint, keyId }) => names.has(fingerprint) || names.has(keyId),
    );
  });
  const paths = signers.flatMap(([signer]) => pathOf(signer, trust));
  return [...new Set(paths)].filter((key) => session.unasked.has(key));
}

/**
 * Asks further questions if the answers could change these refusals: about keys on the signers' paths for which the time was over; about
 * signers about which this run did not ask yet, with the issuers of their delegations; and about every key, if this run relied on earlier
 * checks.
 * @returns the new judgement; undefined if there is nothing new to learn
 */
export async function learnMore(session: Session, errors: readonly FeedkeyError[]): Promise<Judged | undefined> {
  const { required, revocationCheck } = session.checkPolicy;
  if (!required || session.options.offline) return undefined;
  const unasked = await unaskedBehind(session, errors);
  if (unasked.length > 0) {
    await check(session, newInquiry(session), unasked);
    return await conclude(session);
  }
  if (!errors.some(({ code }) => code === "untrusted_signer")) return undefined;
  const learned = await askUpwards(session, strangers(session, errors));
  return learned || revocationCheck !== "always" ? await refresh(session, true) : undefined;
}

/**
 * Refreshes, then runs the action. If the action refuses a signer, asks further questions; if these may change the refusal, runs the action
 * again.
 */
export async function withFreshKeys<T>(session: Session, action: (judged: Judged) => Promise<T>): Promise<T> {
  try {
    return await action(await refresh(session));
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    const judged = await learnMore(session, [error]);
    if (judged === undefined) throw error;
    return await action(judged);
  }
}
