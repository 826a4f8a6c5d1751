/**
 * T6 for a rotation: while the present key's certification of its own predecessor lasts, the predecessor and the new key are
 * both successors of the present key. For clients whose seed is the present key, the two are rivals unless each acknowledges
 * the other. When the present key has expired, the new key and other successors of the present key's predecessor are rivals
 * too.
 */
import { FeedkeyError } from "../error.ts";
import { largest } from "../extremes.ts";
import { certify } from "../openpgp/secret/amend.ts";
import { type Archive, ownCertificate } from "../publish/archive.ts";
import { certifications, dateOfWork } from "../signing/rotation-state.ts";
import { type OwnCertificate, openSigningKey, ownCertificates, type SigningKey } from "../signing/signing-key.ts";
import { type Instant, iso } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refuseLife } from "../trust/key-state.ts";
import { amendStored } from "./store-certificate.ts";

/** A key that follows the present key, as the new key will. */
export interface Rival {
  readonly certificate: OwnCertificate;
  /** When this key stops being a rival; undefined if it never stops. */
  readonly until: Instant | undefined;
}

/** The keys in the store, with their certifications of each other and the expiry of these; infinity if they never expire. */
class OwnChain {
  readonly keys: ReadonlyMap<Fingerprint, OwnCertificate>;
  readonly #archive: Archive;

  constructor(archive: Archive, keys: ReadonlyMap<Fingerprint, OwnCertificate>) {
    this.#archive = archive;
    this.keys = keys;
  }

  /** Returns all certifications of one key by another, including expired certifications. */
  certified(subject: OwnCertificate, issuer: Fingerprint) {
    return certifications(subject.facts, issuer, this.#archive.config.userId, this.#archive.at);
  }

  /**
   * Returns when the last certification expires by which `subject` is a successor of `issuer`; undefined if there is no
   * such certification.
   */
  until(issuer: Fingerprint, subject: OwnCertificate): number | undefined {
    const lasting = this.certified(subject, issuer).filter((one) => {
      return !isDelegation(one) && (one.expiresAt === undefined || one.expiresAt > this.#archive.at);
    });
    if (lasting.length === 0) return undefined;
    return largest(lasting.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY));
  }

  /** Returns the live keys to which a key leads over keys that are not live (T6), each with the end of the first step. */
  heads(issuer: Fingerprint): Map<Fingerprint, number> {
    const found = new Map<Fingerprint, number>();
    const seen = new Set([issuer]);
    const waiting: { key: Fingerprint; end: number }[] = [{ key: issuer, end: Number.POSITIVE_INFINITY }];
    for (const { key, end } of waiting) {
      for (const [name, subject] of this.keys) {
        const until = seen.has(name) ? undefined : this.until(key, subject);
        if (until === undefined) continue;
        seen.add(name);
        const ends = Math.min(end, until);
        if (refuseLife(subject.facts, this.#archive.at) === undefined) found.set(name, ends);
        else waiting.push({ key: name, end: ends });
      }
    }
    return found;
  }
}

/**
 * Returns the rivals that have no mutual acknowledgement with the new key: other keys to which the present key leads, and rivals
 * of the present key itself. The latter become rivals of the new key when the present key has expired.
 * @param successor the new key, if it exists
 */
export async function findRivals(
  archive: Archive,
  present: Fingerprint,
  successor: Fingerprint | undefined,
): Promise<Rival[]> {
  const chain = new OwnChain(archive, await ownCertificates(archive.store));
  const next = successor === undefined ? undefined : chain.keys.get(successor);
  const ends = chain.heads(present);
  for (const issuer of chain.keys.keys()) {
    const beside = issuer === present ? undefined : chain.heads(issuer);
    const own = beside?.get(present);
    if (beside === undefined || own === undefined) continue;
    for (const [key, end] of beside) ends.set(key, Math.max(ends.get(key) ?? 0, Math.min(end, own)));
  }
  const rivals: Rival[] = [];
  for (const [name, end] of ends) {
    const certificate = chain.keys.get(name);
    if (name === present || name === successor || certificate === undefined) continue;
    const isMutual =
      next !== undefined &&
      chain.certified(next, name).length > 0 &&
      chain.certified(certificate, next.raw.fingerprint).length > 0;
    if (!isMutual) rivals.push({ certificate, until: Number.isFinite(end) ? end : undefined });
  }
  return rivals;
}

function unsettled(present: Fingerprint, { certificate, until }: Rival, cause: FeedkeyError): FeedkeyError {
  const rival = certificate.raw.fingerprint;
  const when = until === undefined ? "" : ` until ${iso(until)}`;
  const wait = until === undefined ? "" : "wait until then, or ";
  const problem = `clients seeded with ${present} would take ${rival} and the new key for rivals${when}: ${rival} can't acknowledge it: ${cause.message}`;
  return new FeedkeyError("fork", problem, {
    cause,
    details: { present, rival, until: until === undefined ? null : iso(until) },
    hint: `${wait}import the secret key of ${rival}, or revoke ${rival} if nobody needs it; --force goes on, and those clients accept no key any more`,
  });
}

/**
 * Opens the secret keys of the rivals, before anything is made.
 * @param force whether to leave out keys that can't be opened
 * @throws FeedkeyError `fork` if a rival can't acknowledge the new key
 */
export async function openRivals(
  { store, passphrase }: Archive,
  present: Fingerprint,
  rivals: readonly Rival[],
  force: boolean,
): Promise<SigningKey[]> {
  const opened: SigningKey[] = [];
  for (const rival of rivals) {
    try {
      const key = await openSigningKey(store, rival.certificate.raw.fingerprint, passphrase);
      key.secret.requirePrimary();
      opened.push(key);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      if (!force) throw unsettled(present, rival, error);
    }
  }
  return opened;
}

async function acknowledge({ store, config, at }: Archive, issuer: SigningKey, subject: Fingerprint): Promise<boolean> {
  const { userId } = config;
  const { raw, facts } = await ownCertificate(store, subject);
  if (certifications(facts, issuer.raw.fingerprint, userId, at).length > 0) return false;
  // T6: an expired certification still acknowledges. Until its expiry, a certification is also a link, which is not intended.
  // So the certification expires one second after its date.
  const date = dateOfWork(at, issuer.facts.primary, facts.primary);
  const content = { type: 0x10, at: date, expiresAt: date + 1000 };
  await amendStored(store, await certify(issuer.secret, raw, userId, content));
  return true;
}

/**
 * Lets the new key and each rival acknowledge each other. Existing acknowledgements are not repeated.
 * @returns what was done, in words
 */
export async function acknowledgeEachOther(
  archive: Archive,
  successor: Fingerprint,
  rivals: readonly SigningKey[],
): Promise<string[]> {
  const done: string[] = [];
  if (rivals.length === 0) return done;
  const key = await openSigningKey(archive.store, successor, archive.passphrase);
  for (const rival of rivals) {
    const name = rival.raw.fingerprint;
    const there = await acknowledge(archive, rival, successor);
    const back = await acknowledge(archive, key, name);
    if (there || back) done.push(`${name} and ${successor} acknowledged each other`);
  }
  return done;
}
