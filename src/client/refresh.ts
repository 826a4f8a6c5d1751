/** Use case: learn about successors and revocations before any key is used (T4, T11). */
import { FeedkeyError } from "../error.ts";
import { askAll, blocksIn, united } from "../keyserver/ask-all.ts";
import { search } from "../keyserver/hkp.ts";
import { lookupWkd } from "../keyserver/wkd.ts";
import { type RawCertificate, readKeyring } from "../openpgp/certificate.ts";
import { limits } from "../openpgp/limits.ts";
import { isAbout } from "../openpgp/mentions.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { bundlePath } from "../profile/layout.ts";
import type { Profile } from "../profile/types.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import type { Duration } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { addressOf } from "../trust/identity.ts";
import type { TrustSet } from "../trust/judge.ts";
import { needsCheck } from "../trust/revocation-check.ts";
import { downloadFile, locations } from "./download.ts";
import { delegatorsOf, type Judged, type Knowledge } from "./knowledge.ts";
import type { Session } from "./session.ts";
import { noteBug, takeIn, tellFailure } from "./sources.ts";

/** Rounds of asking: one finds successors, the next asks about them; more than a few would be a game. */
const maxRounds = 6;

/** How long a further copy of the bundle may take: there is one to go on with already. */
const furtherCopy: Duration = 60_000;

/**
 * The archive's own bundle: a source of certificates like any other. That it can't be had is no reason to stop. Where no
 * key server can be asked every mirror is: any one of them could hide a revocation.
 */
async function readBundle(session: Session): Promise<void> {
  const { offline, reporter } = session.options;
  const { required } = session.checkPolicy;
  let found = false;
  for (const location of locations(session.profile)) {
    if (offline && !location.startsWith("file:")) continue;
    try {
      const within = found ? { within: furtherCopy } : {};
      const bytes = await downloadFile(session, location, bundlePath, limits.keyringBytes, within);
      if (bytes === undefined) continue;
      session.knowledge.add(readKeys(bytes));
      found = true;
      if (required) return;
    } catch (error) {
      tellFailure(reporter, "the archive's key bundle could not be read", error);
    }
  }
}

function addressOfArchive({ archive: { identity } }: Profile): string | undefined {
  return identity.kind === "user-email" ? identity.email : addressOf(identity.userId);
}

function servers({ trust }: Profile): URL[] {
  return trust.keyservers.map((server) => new URL(server));
}

/** Finds successors by the archive's address: on every key server, and in its domain's directory if the profile says so. */
async function discover(session: Session): Promise<void> {
  const { profile, options } = session;
  const address = addressOfArchive(profile);
  if (address === undefined) return;
  const answers = await Promise.all([
    ...servers(profile).map((server) => search(server, address, { transport: options.keyserverTransport })),
    ...(profile.trust.wkd ? [lookupWkd(address, { transport: options.transport })] : []),
  ]);
  for (const answer of answers.flatMap((one) => takeIn(session, [one]))) {
    if (answer.outcome !== "unknown") continue;
    options.reporter.note(answer.error.message);
    noteBug(options.reporter, answer.error);
  }
}

/** Asks every server about the keys and takes in what all of them say. */
async function check(session: Session, fingerprints: readonly Fingerprint[]): Promise<void> {
  const { reporter, keyserverTransport: transport } = session.options;
  const answers = await askAll(servers(session.profile), fingerprints, isAbout, { transport });
  for (const [fingerprint, row] of answers) {
    const each = takeIn(
      session,
      row.map((one) => one.answer),
    );
    for (const one of each) if (one.outcome === "unknown") noteBug(reporter, one.error);
    const answer = united(each);
    if (answer.outcome === "unknown") {
      reporter.warn(`key ${fingerprint} could not be checked for revocation: ${answer.error.message}`);
      continue;
    }
    // Exactly what was asked for: a certificate that came along is not what this question was about.
    session.answered.set(fingerprint, answer.outcome);
    if (answer.outcome === "absent" && session.state.ledger.checks.get(fingerprint)?.everFound === true) {
      reporter.warn(`key ${fingerprint} was on the key servers before and is not any more`);
    }
  }
}

/** The keys whose state decides: those that would be trusted if checked, and rivals. */
function deciding({ trusted, forks }: TrustSet): Fingerprint[] {
  return [...new Set([...trusted.keys(), ...forks.flatMap((fork) => fork.rivals)])];
}

async function askKeyservers(session: Session, thoroughly: boolean): Promise<void> {
  const policy = session.checkPolicy;
  const asked = new Set<Fingerprint>();
  const due = async (all: boolean): Promise<Fingerprint[]> => {
    const { trust } = await session.judgeUnchecked();
    // Without the certificate of a revoker its revocation can't be checked (T4).
    return [...deciding(trust), ...session.knowledge.missingRevokers].filter((key) => {
      return !asked.has(key) && (all || needsCheck(session.state.ledger.checks.get(key), policy));
    });
  };
  if (!thoroughly && (await due(false)).length === 0) return;
  await discover(session);
  for (let round = 0; round < maxRounds; round++) {
    const keys = await due(thoroughly);
    if (keys.length === 0) return;
    for (const key of keys) asked.add(key);
    await check(session, keys);
  }
}

function warnOfGrace(session: Session, { trust }: Judged): void {
  for (const [key] of trust.trusted) {
    if (session.checkState(key) !== "grace") continue;
    session.options.reporter.warn(`key ${key} is used on the strength of an older revocation check (within grace)`);
  }
}

/**
 * Asks the archive and the key servers, judges, and records what was learned.
 * @param thoroughly ask about every key, even those whose last check is recent enough
 * @returns the judgement with every check that could be made
 */
export async function refresh(session: Session, thoroughly = false): Promise<Judged> {
  await readBundle(session);
  if (session.checkPolicy.required && !session.options.offline) await askKeyservers(session, thoroughly);
  else if (session.profile.trust.wkd && !session.options.offline) await discover(session);
  const judged = await session.judge();
  if (session.checkPolicy.required) warnOfGrace(session, judged);
  await session.record(judged);
  return judged;
}

/** Signers that errors name, and that nobody was asked about in this run: no search by the archive's address finds delegates. */
function strangers(session: Session, errors: readonly FeedkeyError[]): Fingerprint[] {
  const signers = errors.filter(({ code }) => code === "untrusted_signer").map(({ details }) => String(details.signer));
  return [...new Set(signers)].filter((signer) => isFingerprint(signer) && !session.answered.has(signer));
}

/** The longest path of delegations that the rules allow, and how many keys are asked for on the way: names are mere claims. */
const maxPath = 9;
const maxAsked = 100;

/**
 * Asks about signers, and about whoever they say delegated to them, up to keys that were asked about in this run: of a
 * delegate whose own issuer is unknown nothing could be judged.
 * @returns whether anything was learned
 */
async function askUpwards(session: Session, signers: readonly Fingerprint[]): Promise<boolean> {
  const { knowledge, answered, options } = session;
  const before = new Map(knowledge.held);
  const asked = new Set<Fingerprint>();
  const blocks: Uint8Array[] = [];
  let next = [...signers];
  for (let step = 0; step < maxPath && next.length > 0; step++) {
    for (const key of next) asked.add(key);
    const answers = await askAll(servers(session.profile), next, isAbout, { transport: options.keyserverTransport });
    const found = blocksIn([...answers.values()].flat().map(({ answer }) => answer));
    for (const block of found) blocks.push(block);
    const known = [...found.flatMap((block) => readKeyring(block).certificates), ...held(knowledge, next)];
    const above = known.filter(({ fingerprint }) => asked.has(fingerprint)).flatMap(delegatorsOf);
    next = [...new Set(above)]
      .filter((key) => isFingerprint(key) && !asked.has(key) && !answered.has(key))
      .slice(0, maxAsked - asked.size);
  }
  // All at once: each may be what another one hangs on.
  knowledge.addBlocks(blocks);
  return [...knowledge.held].some(([key, certificate]) => before.get(key) !== certificate);
}

function held(knowledge: Knowledge, keys: readonly Fingerprint[]): RawCertificate[] {
  return keys.flatMap((key) => knowledge.held.get(key) ?? []);
}

/**
 * Whether news of keys could change these refusals, and if so, asks for them: everybody about every key where recent
 * checks were reused, and about signers that nobody was asked about yet, with those that delegated to them.
 * @returns the new judgement; undefined if there is nothing new to learn
 */
export async function learnMore(session: Session, errors: readonly FeedkeyError[]): Promise<Judged | undefined> {
  const { required, revocationCheck } = session.checkPolicy;
  if (!required || session.options.offline || !errors.some(({ code }) => code === "untrusted_signer")) return undefined;
  const learned = await askUpwards(session, strangers(session, errors));
  return learned || revocationCheck !== "always" ? await refresh(session, true) : undefined;
}

/** Refreshes, then acts; if a signer turns out unknown, asks for more and acts again. */
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
