/** Use case: learn about successors and revocations before any key is used (T4, T11). */
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
 * The number of rounds: one round finds successors, the next asks about them. The limit stops an attacker who adds keys in every
 * round.
 */
const maxRounds = 6;

function addressOfArchive({ archive: { identity } }: Profile): string | undefined {
  return identity.kind === "user-email" ? identity.email : addressOf(identity.userId);
}

function servers({ trust }: Profile): URL[] {
  return trust.keyservers.map((server) => new URL(server));
}

/**
 * Finds successors by the archive's address: on every key server, and in the domain's Web Key Directory if the profile says
 * so.
 */
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

/** The number of keys that Hockeypuck and feedkey's own server return at most for a search; they silently omit further keys. */
const fullAnswer = 100;

/** Warns of a full answer. Without the warning, a longer chain would end with an unknown signer for no visible reason. */
function warnOfFull({ options }: Session, address: string, blocks: readonly Uint8Array[]): void {
  const count = blocks.reduce((sum, block) => sum + readKeyring(block).certificates.length, 0);
  if (count < fullAnswer) return;
  const missing = "the archive's newest keys may be missing";
  options.reporter.warn(`a key server sent ${count} keys for ${address}, and may have left out others: ${missing}`);
}

/** Asks every server about the keys, and adds all answers. */
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
    // The answer counts only for the requested key: other certificates in the answer do not answer the question about
    // themselves.
    session.answered.set(fingerprint, answer.outcome);
    if (answer.outcome === "absent" && session.state.ledger.checks.get(fingerprint)?.everFound === true) {
      reporter.warn(`key ${fingerprint} was on the key servers before, but is no longer there`);
    }
  }
}

function newInquiry(session: Session): Inquiry {
  return new Inquiry(servers(session.profile), { transport: session.options.keyserverTransport });
}

/** Returns the keys whose revocation state matters: the keys that would be trusted after a check, and the rivals. */
function deciding({ trusted, forks }: TrustSet): Fingerprint[] {
  return [...new Set([...trusted.keys(), ...forks.flatMap((fork) => fork.rivals)])];
}

/** Asks the key servers round by round. The keys in the bundle take part as soon as the bundle has arrived. */
async function askKeyservers(session: Session, thoroughly: boolean, bundles: Bundles): Promise<void> {
  const policy = session.checkPolicy;
  const inquiry = newInquiry(session);
  const asked = new Set<Fingerprint>();
  const due = async (): Promise<Fingerprint[]> => {
    const { trust } = await session.judgeUnchecked();
    // Without a revoker's certificate, the revoker's revocation can't be checked (T4).
    const keys = [...deciding(trust), ...session.knowledge.missingRevokers].filter((key) => {
      return !asked.has(key) && (thoroughly || needsCheck(session.state.ledger.checks.get(key), policy));
    });
    return await inAskingOrder(session, trust, keys);
  };
  // If every key must be checked, some key is certainly due. So the search comes first, and feedkey uses its results to
  // decide which keys are due.
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

/** Judges, and records what this run learned. If another run has written meanwhile, judges again with what that run recorded. */
async function conclude(session: Session): Promise<Judged> {
  for (;;) {
    const judged = await session.judge();
    if (!(await session.record(judged))) continue;
    if (session.checkPolicy.required) warnOfGrace(session, judged);
    return judged;
  }
}

/**
 * Asks the archive and the key servers at the same time, judges, and records what the run learned.
 * @param thoroughly whether to ask about every key, even if its last check is recent enough, and to download the whole
 * bundle
 * @returns the judgement, with every check that could be made
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
 * Returns the signers in errors about which no server was asked in this run: a search by the archive's address finds no
 * delegates.
 */
function strangers(session: Session, errors: readonly FeedkeyError[]): Fingerprint[] {
  const signers = errors.filter(({ code }) => code === "untrusted_signer").map(({ details }) => String(details.signer));
  return [...new Set(signers)].filter((signer) => isFingerprint(signer) && !session.answered.has(signer));
}

/**
 * The longest path of delegations that the rules allow, and the number of keys that feedkey asks for on such paths.
 * Both are limited, because the paths are unverified claims.
 */
const maxPath = 9;
const maxAsked = 100;

/**
 * Asks about signers, and about the claimed issuers of their delegations up to keys that were already asked about in this run:
 * a delegate with an unknown issuer can't be judged.
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
  // The blocks are added together, because the key in one block may be the issuer of the key in another.
  knowledge.addBlocks(blocks);
  return [...knowledge.held].some(([key, certificate]) => before.get(key) !== certificate);
}

function held(knowledge: Knowledge, keys: readonly Fingerprint[]): RawCertificate[] {
  return keys.flatMap((key) => knowledge.held.get(key) ?? []);
}

/** Returns the keys on the paths of signers in errors about which no server was asked because the time was over. */
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
 * Asks for more, if more answers could change these refusals: about keys on the signers' paths for which the time was over;
 * about every key, if this run relied on recent checks; and about signers that were not asked about yet, with the issuers of
 * their delegations.
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

/** Refreshes, then acts. If a signer turns out to be unknown, asks for more and acts again. */
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
